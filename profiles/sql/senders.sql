-- Which of these identities have sent an event that is still there.
SELECT DISTINCT identity_id
FROM events
WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {identities:Array(UInt64)}
