"""Wiring of schemas."""

from django.apps import AppConfig


class SchemasConfig(AppConfig):
    """What a record is: classes, field groups, schemas."""

    name = "cdp.schemas"
    label = "schemas"

    def ready(self) -> None:
        """Say what becomes of a sandbox's schemas, and which names are the standard's own."""
        from cdp.schemas.registry.roots import standard_roots
        from cdp.schemas.services.sandboxes import copy_schemas, count_schemas, forget_schemas
        from cdp.tenancy import namespaces, sandboxes

        sandboxes.register(
            "schemas",
            sandboxes.SandboxHandler(reset=forget_schemas, copy=copy_schemas, count=count_schemas),
        )
        namespaces.register("a standard field", standard_roots)
