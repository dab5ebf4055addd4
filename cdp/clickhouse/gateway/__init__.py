"""ClickHouse's HTTP protocol in front of an embedded engine. Knows no Django."""
