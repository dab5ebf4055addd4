-- What happened to one person last. Without the conditions of a timeline it is half the work.
SELECT
    event_id,
    event_type,
    toUnixTimestamp64Milli(ts) AS at,
    dataset_id,
    identity_id,
    document
FROM events
WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {identities:Array(UInt64)}
ORDER BY ts DESC, event_id
LIMIT {limit:UInt32}
