-- The merged view of the next profiles up to a number, as the event store has it.
SELECT profile_id, version, toJSONString(body) AS body
FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32}
    AND profile_id > {after:UInt64}
    AND profile_id <= {upto:UInt64}
ORDER BY profile_id
LIMIT {limit:UInt32}
