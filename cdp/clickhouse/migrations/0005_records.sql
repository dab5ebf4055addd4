-- Rows of record datasets as they came in; the current row of a key is the one with the latest ts.
CREATE TABLE records
(
    sandbox_id UInt32,
    dataset_id LowCardinality(String),
    batch_id String,
    key String,
    ts DateTime64(3, 'UTC'),
    body JSON(max_dynamic_paths = 64),
    ingested_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (sandbox_id, dataset_id, key, ts)
SHARD BY cityHash64(key);
