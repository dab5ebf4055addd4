"""Wiring of tenancy."""

from typing import Any

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Organizations, sandboxes, credentials and the fences between them."""

    name = "cdp.tenancy"
    label = "tenancy"

    def ready(self) -> None:
        """Run migrations with the bypass on: a data migration as the tables' owner sees no row."""
        from django.db.models.signals import post_migrate, pre_migrate  # noqa: TID251  migrate's own

        pre_migrate.connect(_bypass_on, dispatch_uid="tenancy.bypass_on")
        post_migrate.connect(_bypass_off, dispatch_uid="tenancy.bypass_off")


def _bypass_on(*, using: str, **_: Any) -> None:
    _switch(using, "on")


def _bypass_off(*, using: str, **_: Any) -> None:
    _switch(using, "off")


def _switch(using: str, value: str) -> None:
    from django.db import connections

    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('cdp.bypass', %s, false)", [value])
