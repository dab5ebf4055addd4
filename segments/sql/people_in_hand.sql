-- The documents of a few profiles, as rules about everybody read them.
SELECT profile_id, toJSONString(body) AS body
FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32} AND profile_id IN {profiles:Array(UInt64)}
