-- The next profiles that the event store has a snapshot of.
SELECT profile_id
FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32}
    AND profile_id > {after:UInt64}
ORDER BY profile_id
LIMIT {limit:UInt32}
