-- Who is in a segment now, as one bitmap of dense profile ids.
CREATE TABLE memberships
(
    sandbox_id UInt32,
    segment_id String,
    version UInt64,
    evaluation_id UUID,
    members AggregateFunction(groupBitmap, UInt64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (sandbox_id, segment_id)
SHARD BY cityHash64(segment_id);

-- Every entry and exit that an evaluation found, read back under its id when it is published.
CREATE TABLE transitions
(
    sandbox_id UInt32,
    evaluation_id UUID,
    segment_id String,
    profile_id UInt64,
    entered UInt8,
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (sandbox_id, evaluation_id, segment_id, profile_id)
SHARD BY cityHash64(segment_id);
