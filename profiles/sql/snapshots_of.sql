-- The merged view of some profiles, as the event store has it.
SELECT profile_id, version, toJSONString(body) AS body
FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32}
    AND profile_id IN {profiles:Array(UInt64)}
