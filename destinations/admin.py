"""Destinations in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.tenancy.console.base import SandboxAdmin, pretty
from destinations.models import Activation, ActivationRun, Delivery, DestinationConnection


@admin.register(DestinationConnection)
class DestinationConnectionAdmin(SandboxAdmin):
    list_display = ("name", "owner", "kind", "state", "failures", "resting_until", "updated_at")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "kind",
        "public_settings",
        "marketing_actions",
        ("state", "stopped_because"),
        ("failures", "resting_until"),
        ("created_at", "updated_at"),
    )

    @admin.display(description="Settings")
    def public_settings(self, connection: DestinationConnection) -> SafeString:
        """The settings without the secrets."""
        return pretty(connection.settings)


@admin.register(Activation)
class ActivationAdmin(SandboxAdmin):
    list_display = (
        "id",
        "owner",
        "segment",
        "connection",
        "enabled",
        "starts_at",
        "ends_at",
        "refused_because",
    )
    list_select_related = ("sandbox__organization", "segment", "connection")
    search_fields = ("id", "segment__name", "connection__name")
    fields = (
        "owner",
        ("segment", "connection"),
        "fields_sent",
        "enabled",
        ("starts_at", "ends_at"),
        "refused_because",
        ("created_at", "updated_at"),
    )

    @admin.display(description="Mapping")
    def fields_sent(self, activation: Activation) -> SafeString:
        """What of each profile is sent."""
        return pretty(activation.mapping)


@admin.register(ActivationRun)
class ActivationRunAdmin(SandboxAdmin):
    list_display = (
        "started_at",
        "owner",
        "activation",
        "state",
        "received",
        "delivered",
        "failed",
        "refused",
        "reference",
    )
    list_select_related = ("sandbox__organization", "activation")
    search_fields = ("id", "activation__id")
    ordering = ("-id",)


@admin.register(Delivery)
class DeliveryAdmin(SandboxAdmin):
    list_display = ("public_id", "owner", "profile_id", "entered", "at", "state", "error")
    search_fields = ("=activation__id", "=run__id", "=batch")
    ordering = ("-id",)
