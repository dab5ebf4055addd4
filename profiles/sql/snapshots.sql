-- The merged view of each profile in a range of numbers, as the event store has it.
SELECT profile_id, toJSONString(body) AS body
FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32}
    AND profile_id > {after:UInt64}
    AND profile_id <= {upto:UInt64}
ORDER BY profile_id
