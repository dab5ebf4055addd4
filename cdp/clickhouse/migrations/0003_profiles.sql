-- The merged profile under the default merge policy; rebuilt from PostgreSQL at will.
CREATE TABLE profiles
(
    sandbox_id UInt32,
    profile_id UInt64,
    version UInt64,
    deleted UInt8,
    body JSON(max_dynamic_paths = 64)
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (sandbox_id, profile_id)
SHARD BY profile_id
SETTINGS index_granularity = 1024;
