-- Every entry and exit, in the order of the turns that evaluations take. Who is in a segment now:
-- its members as of the latest turn kept in memberships, then the transitions since.
CREATE TABLE transitions
(
    sandbox_id UInt32,
    turn UInt64,
    segment_id String,
    profile_id UInt64,
    entered UInt8,
    evaluation_id UUID,
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (sandbox_id, turn, profile_id, segment_id)
SHARD BY cityHash64(segment_id);

-- The members of a segment as of a turn, as one bitmap of dense profile ids.
CREATE TABLE memberships
(
    sandbox_id UInt32,
    segment_id String,
    turn UInt64,
    members AggregateFunction(groupBitmap, UInt64)
)
ENGINE = ReplacingMergeTree(turn)
ORDER BY (sandbox_id, segment_id)
SHARD BY cityHash64(segment_id);

-- Whom an evaluation of many profiles has found, until it is compared with who was in before.
CREATE TABLE found_members
(
    sandbox_id UInt32,
    evaluation_id UUID,
    segment_id String,
    members AggregateFunction(groupBitmap, UInt64),
    at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (sandbox_id, evaluation_id, segment_id)
TTL at + INTERVAL 3 DAY
SHARD BY cityHash64(segment_id);
