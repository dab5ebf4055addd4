"""The event store as a Django application: its commands, its part in a reset."""

from django.apps import AppConfig


class ClickHouseConfig(AppConfig):
    """Holds no models: its tables live in ClickHouse and have migrations of their own."""

    name = "cdp.clickhouse"
    label = "clickhouse"
    verbose_name = "Event store"

    def ready(self) -> None:
        """Say what becomes of a sandbox's rows when it is reset or counted."""
        from cdp.clickhouse.sandboxes import count_rows, forget_rows
        from cdp.tenancy import sandboxes

        sandboxes.register(
            "clickhouse", sandboxes.SandboxHandler(reset=forget_rows, count=count_rows)
        )
