-- How many members each segment has.
SELECT segment_id, groupBitmapMerge(members) AS size
FROM memberships FINAL
WHERE sandbox_id = {sandbox:UInt32}
GROUP BY segment_id
