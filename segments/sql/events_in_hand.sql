-- What happened to a few people, of the types and since the time that any rule asks for; a body
-- only where one looks into it.
SELECT
    identity_id,
    toUnixTimestamp64Milli(ts) AS at,
    event_type,
    event_id,
    if({all_bodies:Bool} OR event_type IN {bodies_of:Array(String)}, document, '{}') AS body
FROM events
WHERE sandbox_id = {sandbox:UInt32}
    AND identity_id IN {identities:Array(UInt64)}
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND (empty({types:Array(String)}) OR event_type IN {types:Array(String)})
LIMIT {most:UInt64}
