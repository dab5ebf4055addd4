-- Which of these identities have sent an event that came in since a moment.
SELECT DISTINCT identity_id
FROM events
WHERE sandbox_id = {sandbox:UInt32}
    AND identity_id IN {identities:Array(UInt64)}
    AND ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
