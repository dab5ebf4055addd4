-- How many events a dataset holds, from when to when, and when the last came in.
SELECT
    count() AS rows,
    uniqExact(identity_id) AS keys,
    toUnixTimestamp64Milli(min(ts)) AS first,
    toUnixTimestamp64Milli(max(ts)) AS last,
    toUnixTimestamp64Milli(max(ingested_at)) AS last_ingested
FROM events
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
