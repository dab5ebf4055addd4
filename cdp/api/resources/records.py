"""`audit-events/` and `usage/`: what was done, and how much was used."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework import serializers

from cdp.api.mixins import ListMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.tenancy import selectors
from cdp.tenancy.models import AuditEvent, UsageCounter


class AuditEventOut(serializers.ModelSerializer[AuditEvent]):
    """One change: who, what, before and after, in which request."""

    sandbox = serializers.CharField(
        source="sandbox.name", default=None, help_text="Null for the organization as a whole."
    )

    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "at",
            "sandbox",
            "action",
            "actor_kind",
            "actor_id",
            "actor_name",
            "request_id",
            "target_type",
            "target_id",
            "target_name",
            "before",
            "after",
        ]


class AuditEventFilter(filters.FilterSet):  # type: ignore[misc]  # untyped package
    """Which changes."""

    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields = ["action", "actor_id", "request_id", "target_type", "target_id"]


class AuditEventsViewSet(ListMixin, RetrieveMixin, SandboxViewSet):
    """What was done in the sandbox, and to the organization as a whole."""

    noun = "audit event"
    permissions = {"*": "view-audit"}
    serializer_class = AuditEventOut
    filterset_class = AuditEventFilter

    def get_queryset(self) -> Any:
        return selectors.list_audit_events(self.sandbox)


class UsageOut(serializers.ModelSerializer[UsageCounter]):
    """How much of one thing was used on one day, in UTC."""

    class Meta:
        model = UsageCounter
        fields = ["day", "name", "subject", "amount"]


class UsageFilter(filters.FilterSet):  # type: ignore[misc]  # untyped package
    """Which days and things."""

    since = filters.DateFilter(field_name="day", lookup_expr="gte")
    until = filters.DateFilter(field_name="day", lookup_expr="lte")

    class Meta:
        model = UsageCounter
        fields = ["name", "subject"]


class UsageViewSet(ListMixin, SandboxViewSet):
    """Usage of the sandbox: by day, thing and subject, such as a data set's id."""

    noun = "usage counter"
    permissions = {"*": "view-usage"}
    serializer_class = UsageOut
    filterset_class = UsageFilter
    ordering = "-day"
    ordering_fields = ("day",)

    def get_queryset(self) -> Any:
        return selectors.list_usage(self.sandbox)
