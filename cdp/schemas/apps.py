"""Wiring of schemas."""

from django.apps import AppConfig


class SchemasConfig(AppConfig):
    """What a record is: classes, field groups, schemas."""

    name = "cdp.schemas"
    label = "schemas"

    def ready(self) -> None:
        """Say what becomes of a sandbox's schemas when it is reset, copied or counted."""
        from cdp.schemas.services.sandboxes import copy_schemas, count_schemas, forget_schemas
        from cdp.tenancy import sandboxes

        sandboxes.register(
            "schemas",
            sandboxes.SandboxHandler(reset=forget_schemas, copy=copy_schemas, count=count_schemas),
        )
