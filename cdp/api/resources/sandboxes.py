"""`sandboxes/`: the walled parts of an organization."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from cdp.api.mixins import CreateMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer
from cdp.api.views import OrganizationViewSet
from cdp.tenancy import selectors
from cdp.tenancy.models import Sandbox
from cdp.tenancy.services import organizations


class SandboxOut(serializers.ModelSerializer[Sandbox]):
    """A sandbox."""

    class Meta:
        model = Sandbox
        fields = ["name", "title", "kind", "time_zone", "guards_labels", "created_at", "updated_at"]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A place to try things",
            request_only=True,
            value={"name": "dev", "title": "Development", "time_zone": "Europe/Berlin"},
        )
    ]
)
class SandboxIn(StrictSerializer):
    """A new sandbox; its name and kind never change."""

    name = serializers.CharField(max_length=63)
    title = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=Sandbox.Kind.choices, default=Sandbox.Kind.DEVELOPMENT)
    time_zone = serializers.CharField(max_length=64, default="UTC")
    guards_labels = serializers.BooleanField(
        default=False, help_text="Show labelled fields only to roles that carry the labels."
    )


class SandboxesViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, OrganizationViewSet):
    """Sandboxes of the organization. `prod` exists from the start."""

    noun = "sandbox"
    lookup_field = "name"
    permissions = {
        "list": "view-sandboxes",
        "retrieve": "view-sandboxes",
        "*": "manage-sandboxes",
    }
    serializer_class = SandboxOut
    input_class = SandboxIn
    filterset_fields = ["kind"]

    def get_queryset(self) -> Any:
        return selectors.list_sandboxes(self.organization)

    def perform_create(self, values: dict[str, Any]) -> Sandbox:
        return organizations.create_sandbox(
            actor=self.actor, organization=self.organization, **values
        )

    def perform_patch(self, row: Sandbox, changes: dict[str, Any]) -> Sandbox:
        return organizations.change_sandbox(actor=self.actor, sandbox=row, **changes)
