-- What a row does to what was known of its key: replace it, change single fields, or delete it.
ALTER TABLE records ADD COLUMN IF NOT EXISTS operation LowCardinality(String) DEFAULT 'create';
