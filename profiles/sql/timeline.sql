-- What happened to one person: the events of her identities, from a place in time on.
SELECT
    event_id,
    event_type,
    toUnixTimestamp64Milli(ts) AS at,
    dataset_id,
    identity_id,
    document
FROM events
WHERE sandbox_id = {sandbox:UInt32}
    AND identity_id IN {identities:Array(UInt64)}
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ts < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    AND (empty({types:Array(String)}) OR event_type IN {types:Array(String)})
    AND (empty({datasets:Array(String)}) OR dataset_id IN {datasets:Array(String)})
    AND (
        {after_id:String} = ''
        OR (toUnixTimestamp64Milli(ts) * {direction:Int64}, event_id, toString(dataset_id))
            > ({after:Int64} * {direction:Int64}, {after_id:String}, {after_dataset:String})
    )
ORDER BY at * {direction:Int64}, event_id, toString(dataset_id)
LIMIT {limit:UInt32}
