"""`roles/` and `permissions/`: who may do what, where."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.permissions import ANY_CALLER
from cdp.api.serializers import StrictSerializer
from cdp.api.views import OrganizationViewSet
from cdp.tenancy import selectors
from cdp.tenancy.models import Role
from cdp.tenancy.permissions import PERMISSIONS
from cdp.tenancy.services import access


class RoleOut(serializers.ModelSerializer[Role]):
    """A role."""

    class Meta:
        model = Role
        fields = [
            "id",
            "name",
            "description",
            "permissions",
            "labels",
            "sandboxes",
            "credentials",
            "created_at",
            "updated_at",
        ]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Analysts",
            request_only=True,
            value={
                "name": "Analyst",
                "description": "Reads segments in every sandbox.",
                "permissions": ["view-segments", "view-profiles"],
                "sandboxes": ["*"],
                "credentials": ["crd_01m8099cn3pw6b7n4kzrj03zkz"],
            },
        )
    ]
)
class RoleIn(StrictSerializer):
    """A role: permissions that hold in the named sandboxes for the named credentials."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(default="", allow_blank=True, max_length=2_000)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200
    )
    labels = serializers.ListField(
        child=serializers.CharField(max_length=63),
        default=list,
        max_length=200,
        help_text="Labels of data that the role may see where a sandbox guards them.",
    )
    sandboxes = serializers.ListField(
        child=serializers.CharField(max_length=63),
        default=list,
        max_length=1_000,
        help_text="Names of sandboxes; `*` stands for all, also later ones.",
    )
    credentials = serializers.ListField(
        child=serializers.CharField(max_length=40), default=list, max_length=1_000
    )


class RolesViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, OrganizationViewSet
):
    """Roles of the organization. A change holds from the next request on."""

    noun = "role"
    permissions = {"list": "view-access", "retrieve": "view-access", "*": "manage-access"}
    serializer_class = RoleOut
    input_class = RoleIn
    filterset_fields = ["name"]

    def get_queryset(self) -> Any:
        return selectors.list_roles(self.organization)

    def perform_create(self, values: dict[str, Any]) -> Role:
        return access.create_role(actor=self.actor, organization=self.organization, **values)

    def perform_patch(self, row: Role, changes: dict[str, Any]) -> Role:
        return access.change_role(actor=self.actor, role=row, **changes)

    def perform_delete(self, row: Role) -> None:
        access.delete_role(actor=self.actor, role=row)


class PermissionOut(serializers.Serializer[Any]):
    """A permission that a role may hold."""

    name = serializers.CharField()
    area = serializers.CharField()
    description = serializers.CharField()


class PermissionsViewSet(OrganizationViewSet):
    """Permissions that exist; every operation of this document names the one it needs."""

    noun = "permission"
    permissions = {"list": ANY_CALLER}
    filter_backends = ()
    serializer_class = PermissionOut

    def list(self, request: Request) -> Response:
        """List every permission, by area."""
        known = [asdict(permission) for permission in PERMISSIONS.values()]
        return Response({"results": known, "next": None, "previous": None})
