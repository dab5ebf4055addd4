"""`credentials/`: the OAuth2 clients of an organization."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import DeleteMixin, InputMixin, ListMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer
from cdp.api.views import OrganizationViewSet
from cdp.tenancy import selectors
from cdp.tenancy.models import Credential
from cdp.tenancy.services import access


class CredentialOut(serializers.ModelSerializer[Credential]):
    """An OAuth2 client. Its secret is not kept, only a hash."""

    created_at = serializers.DateTimeField(source="created", read_only=True)

    class Meta:
        model = Credential
        fields = ["id", "name", "client_id", "created_at"]


class NewCredentialOut(CredentialOut):
    """A new OAuth2 client with its secret, shown only this once."""

    client_secret = serializers.CharField(read_only=True)

    class Meta(CredentialOut.Meta):
        fields = [*CredentialOut.Meta.fields, "client_secret"]

    @classmethod
    def shown(cls, credential: Credential, secret: str) -> dict[str, Any]:
        """Return the credential with its secret, which the row itself no longer knows."""
        return {**CredentialOut(credential).data, "client_secret": secret}


@extend_schema_serializer(
    examples=[
        OpenApiExample("A partner's access", request_only=True, value={"name": "Loyalty partner"})
    ]
)
class CredentialIn(StrictSerializer):
    """A new OAuth2 client."""

    name = serializers.CharField(max_length=255)


class CredentialsViewSet(ListMixin, RetrieveMixin, DeleteMixin, InputMixin, OrganizationViewSet):
    """Clients that may ask for access tokens. What each may do is said by roles."""

    noun = "credential"
    permissions = {"list": "view-access", "retrieve": "view-access", "*": "manage-access"}
    serializer_class = CredentialOut
    input_class = CredentialIn

    def get_queryset(self) -> Any:
        return selectors.list_credentials(self.organization)

    @extend_schema(request=CredentialIn, responses={201: NewCredentialOut})
    def create(self, request: Request) -> Response:
        """Create a credential; the answer holds its secret, which is not shown again.

        It may do nothing until a role names it.
        """
        credential, secret = access.create_credential(
            actor=self.actor, organization=self.organization, **self.checked()
        )
        return self.created(credential, client_secret=secret)

    def perform_delete(self, row: Credential) -> None:
        access.delete_credential(actor=self.actor, credential=row)
