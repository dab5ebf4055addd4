"""`me/`: what the API takes the caller for."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.permissions import ANY_CALLER
from cdp.api.resources.organizations import OrganizationOut
from cdp.api.resources.sandboxes import SandboxOut
from cdp.api.views import SandboxViewSet


class MeOut(serializers.Serializer[Any]):
    """The caller, the sandbox that was asked for, and what the caller may do there."""

    kind = serializers.ChoiceField(choices=["credential", "operator"])
    id = serializers.CharField()
    name = serializers.CharField()
    organization = OrganizationOut()
    sandbox = SandboxOut()
    permissions = serializers.ListField(child=serializers.CharField())


class MeViewSet(SandboxViewSet):
    """The caller."""

    permissions = {"retrieve": ANY_CALLER}
    serializer_class = MeOut

    @extend_schema(summary="Read who you are")
    def retrieve(self, request: Request) -> Response:
        """Tell who calls, in which sandbox, and with which permissions."""
        return Response(
            MeOut(
                {
                    "kind": self.actor.kind,
                    "id": self.actor.id,
                    "name": self.actor.name,
                    "organization": self.sandbox.organization,
                    "sandbox": self.sandbox,
                    "permissions": sorted(self.actor.permissions),
                }
            ).data
        )
