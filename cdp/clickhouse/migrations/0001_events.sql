-- Every event, as it came in. `identity_id` sent it and never changes; `profile_id` is the stamp:
-- whose it was at ingestion. A merge writes into profile_overrides, never here.
CREATE TABLE events
(
    sandbox_id UInt32,
    identity_id UInt64,
    ts DateTime64(3, 'UTC'),
    event_id String,
    event_type LowCardinality(String),
    dataset_id LowCardinality(String),
    profile_id UInt64,
    body JSON(max_dynamic_paths = 64),
    ingested_at DateTime64(3, 'UTC'),
    batch_id String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (sandbox_id, identity_id, ts)
SHARD BY identity_id
SETTINGS index_granularity = 1024;
