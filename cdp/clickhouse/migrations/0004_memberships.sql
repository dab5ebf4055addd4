-- Who entered and who left a segment, in the order of the turns that evaluations take; bitmaps of
-- dense profile ids. Who is in now: the members as of the latest turn kept, then what came since.
CREATE TABLE transitions
(
    sandbox_id UInt32,
    turn UInt64,
    segment_id String,
    evaluation_id UUID,
    entered AggregateFunction(groupBitmap, UInt64),
    exited AggregateFunction(groupBitmap, UInt64),
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (sandbox_id, turn, segment_id)
SHARD BY cityHash64(segment_id);

-- The members of a segment as of a turn.
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

-- Whom an evaluation of a whole sandbox has found, until it is compared with who was in before.
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
