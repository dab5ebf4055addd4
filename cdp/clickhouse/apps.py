"""The event store as a Django application: its commands."""

from django.apps import AppConfig


class ClickHouseConfig(AppConfig):
    """Holds no models: its tables live in ClickHouse and have migrations of their own."""

    name = "cdp.clickhouse"
    label = "clickhouse"
    verbose_name = "Event store"
