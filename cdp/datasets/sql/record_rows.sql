-- What rows of a record dataset are stored, by key; all as they came in, or the current one of each key.
SELECT
    key AS id,
    toUnixTimestamp64Milli(ts) AS at,
    batch_id,
    toUnixTimestamp64Milli(ingested_at) AS ingested_at,
    toJSONString(body) AS body
FROM records
WHERE sandbox_id = {sandbox:UInt32}
    AND dataset_id = {dataset:String}
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ts < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    AND ({batch:String} = '' OR batch_id = {batch:String})
    AND ({key:String} = '' OR key = {key:String})
    AND (
        key > {after_id:String}
        OR (
            key = {after_id:String}
            AND {per_key:UInt32} > 1
            AND ts < fromUnixTimestamp64Milli({after:Int64}, 'UTC')
        )
    )
ORDER BY key, ts DESC
LIMIT {per_key:UInt32} BY key
LIMIT {limit:UInt32}
