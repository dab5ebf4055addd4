"""CSV files in a folder or an object store."""
