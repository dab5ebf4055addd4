"""Schemas in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.schemas.models import Component, Descriptor, Schema
from cdp.tenancy.console.base import SandboxAdmin, pretty


@admin.register(Schema)
class SchemaAdmin(SandboxAdmin):
    list_display = ("owner", "title", "behavior", "class_uri", "profile_enabled_at", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "behavior")
    search_fields = ("title", "id", "uri")
    fields = (
        "title",
        "owner",
        "uri",
        "description",
        ("class_uri", "behavior"),
        ("profile_enabled_at", "identity_map_primary"),
        "version",
        "shown_document",
        ("created_at", "updated_at"),
    )

    @admin.display(description="Document")
    def shown_document(self, schema: Schema) -> SafeString:
        """The XDM document."""
        return pretty(schema.document)


@admin.register(Component)
class ComponentAdmin(SandboxAdmin):
    list_display = ("owner", "title", "kind", "imported", "version", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "kind", "imported")
    search_fields = ("title", "id", "uri")
    fields = (
        "title",
        "owner",
        "kind",
        "uri",
        "description",
        ("imported", "version"),
        "shown_document",
        ("created_at", "updated_at"),
    )

    @admin.display(description="Document")
    def shown_document(self, component: Component) -> SafeString:
        """The XDM document."""
        return pretty(component.document)


@admin.register(Descriptor)
class DescriptorAdmin(SandboxAdmin):
    list_display = ("owner", "id", "schema", "kind", "paths", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "kind")
    search_fields = ("id",)
    fields = ("owner", "schema", "kind", "paths", "settings", ("created_at", "updated_at"))
