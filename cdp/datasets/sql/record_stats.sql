-- How many rows a record dataset holds, of how many keys, and when the last came in.
SELECT
    count() AS rows,
    uniqExact(key) AS keys,
    toUnixTimestamp64Milli(min(ts)) AS first,
    toUnixTimestamp64Milli(max(ts)) AS last,
    toUnixTimestamp64Milli(max(ingested_at)) AS last_ingested
FROM records
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
