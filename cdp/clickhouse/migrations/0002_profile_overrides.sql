-- Identities whose profile is another one now than when their events came in. The owner of an
-- event e with override o is if(o.profile_id != 0, o.profile_id, e.profile_id).
CREATE TABLE profile_overrides
(
    sandbox_id UInt32,
    identity_id UInt64,
    profile_id UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (sandbox_id, identity_id)
SHARD BY identity_id
SETTINGS index_granularity = 1024;
