-- The ingest batch that wrote a row: after a restore, what an open one wrote is removed by it.
ALTER TABLE events ADD COLUMN IF NOT EXISTS ingest_id UUID;
ALTER TABLE records ADD COLUMN IF NOT EXISTS ingest_id UUID;
