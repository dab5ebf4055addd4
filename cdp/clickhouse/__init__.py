"""The event store: the only package that speaks to ClickHouse."""
