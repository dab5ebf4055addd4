-- When the store was given a snapshot, for exports of what has changed since. Those from before
-- this column count as changed until they are written anew.
ALTER TABLE profiles ADD COLUMN IF NOT EXISTS changed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');
