"""`organizations/` for operators, `organization/` for an organization itself."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.permissions import ANY_CALLER, OPERATOR
from cdp.api.resources.credentials import NewCredentialOut
from cdp.api.serializers import StrictSerializer
from cdp.api.views import OperatorViewSet, OrganizationViewSet
from cdp.tenancy import selectors
from cdp.tenancy.models import Organization
from cdp.tenancy.services import access, organizations


class OrganizationOut(serializers.ModelSerializer[Organization]):
    """An organization."""

    class Meta:
        model = Organization
        fields = ["id", "name", "tenant_namespace", "created_at"]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A shop", request_only=True, value={"name": "Luma", "tenant_namespace": "luma"}
        )
    ]
)
class OrganizationIn(StrictSerializer):
    """A new organization."""

    name = serializers.CharField(max_length=200)
    tenant_namespace = serializers.CharField(
        max_length=31, help_text="The root of its own fields: `luma` puts them under `_luma`."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("A new name", request_only=True, value={"name": "Luma Inc."})]
)
class OrganizationChange(StrictSerializer):
    """What can change of an organization."""

    name = serializers.CharField(max_length=200)


class NewOrganizationOut(OrganizationOut):
    """A new organization with its first credential, whose secret is shown only this once."""

    administrator = NewCredentialOut()

    class Meta(OrganizationOut.Meta):
        fields = [*OrganizationOut.Meta.fields, "administrator"]


class OrganizationsViewSet(ListMixin, RetrieveMixin, InputMixin, OperatorViewSet):
    """Organizations of this installation."""

    noun = "organization"
    permissions = {"*": OPERATOR}
    serializer_class = OrganizationOut
    input_class = OrganizationIn

    def get_queryset(self) -> Any:
        return selectors.list_organizations()

    @extend_schema(request=OrganizationIn, responses={201: NewOrganizationOut})
    def create(self, request: Request) -> Response:
        """Create an organization with its `prod` sandbox and an administrator's credential.

        The answer holds the client secret of the administrator; it is not shown again.
        """
        organization = organizations.create_organization(actor=self.actor, **self.checked())
        credential, secret = access.create_administrator(
            actor=self.actor, organization=organization
        )
        return self.created(organization, administrator=NewCredentialOut.shown(credential, secret))


class OrganizationView(RetrieveMixin, PatchMixin, OrganizationViewSet):
    """The caller's own organization."""

    noun = "organization"
    permissions = {"retrieve": ANY_CALLER, "partial_update": "manage-access"}
    serializer_class = OrganizationOut
    input_class = OrganizationChange

    def get_object(self) -> Organization:
        return selectors.list_organizations().get(pk=self.organization.pk)

    def perform_patch(self, row: Organization, changes: dict[str, Any]) -> Organization:
        return organizations.change_organization(actor=self.actor, organization=row, **changes)
