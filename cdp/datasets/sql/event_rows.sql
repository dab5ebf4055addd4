-- What events of a dataset are stored, newest first, from a place in time on.
SELECT
    event_id AS id,
    toUnixTimestamp64Milli(ts) AS at,
    batch_id,
    toUnixTimestamp64Milli(ingested_at) AS ingested_at,
    toJSONString(body) AS body
FROM events
WHERE sandbox_id = {sandbox:UInt32}
    AND dataset_id = {dataset:String}
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ts < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    AND ({batch:String} = '' OR batch_id = {batch:String})
    AND ({after_id:String} = '' OR (toUnixTimestamp64Milli(ts), event_id) < ({after:Int64}, {after_id:String}))
ORDER BY ts DESC, event_id DESC
LIMIT {limit:UInt32}
