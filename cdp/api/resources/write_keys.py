"""`write-keys/`: keys that may only send data, to one inlet."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import DeleteMixin, InputMixin, ListMixin, RetrieveMixin
from cdp.api.registries import inlet_lookups
from cdp.api.serializers import StrictSerializer
from cdp.api.views import SandboxViewSet
from cdp.errors import FieldError, Invalid
from cdp.tenancy import selectors
from cdp.tenancy.models import WriteKey
from cdp.tenancy.services import access


class WriteKeyOut(serializers.ModelSerializer[WriteKey]):
    """A write key. The key itself is not kept, only a hash and its last characters."""

    inlet = serializers.CharField(source="inlet_id", read_only=True)

    class Meta:
        model = WriteKey
        fields = ["id", "name", "inlet", "hint", "created_at", "revoked_at"]


class NewWriteKeyOut(WriteKeyOut):
    """A new write key, shown only this once."""

    write_key = serializers.CharField(read_only=True)

    class Meta(WriteKeyOut.Meta):
        fields = [*WriteKeyOut.Meta.fields, "write_key"]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "The shop's site",
            request_only=True,
            value={"name": "Shop", "inlet": "inl_01m8099cmkcqprvmm9g2d6rpbr"},
        )
    ]
)
class WriteKeyIn(StrictSerializer):
    """A new write key."""

    name = serializers.CharField(max_length=200)
    inlet = serializers.CharField(max_length=40)


class WriteKeysViewSet(ListMixin, RetrieveMixin, DeleteMixin, InputMixin, SandboxViewSet):
    """Write keys of the sandbox, for the doors of collection only."""

    noun = "write key"
    permissions = {"list": "view-access", "retrieve": "view-access", "*": "manage-access"}
    serializer_class = WriteKeyOut
    input_class = WriteKeyIn
    filterset_fields = ["inlet_id"]

    def get_queryset(self) -> Any:
        return selectors.list_write_keys(self.sandbox)

    @extend_schema(request=WriteKeyIn, responses={201: NewWriteKeyOut})
    def create(self, request: Request) -> Response:
        """Create a write key for an inlet; the answer holds the key, which is not shown again."""
        values = self.checked()
        self._check_inlet(values["inlet"])
        row, key = access.create_write_key(
            actor=self.actor, sandbox=self.sandbox, inlet_id=values["inlet"], name=values["name"]
        )
        return self.created(row, write_key=key)

    @extend_schema(summary="Revoke a write key")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revoke a write key; it stays in the list with the time at which it was revoked."""
        return super().destroy(request, *args, **kwargs)

    def perform_delete(self, row: WriteKey) -> None:
        access.revoke_write_key(actor=self.actor, write_key=row)

    def _check_inlet(self, inlet_id: str) -> None:
        if any(exists(self.sandbox, inlet_id) for exists in inlet_lookups.entries().values()):
            return
        detail = f"There is no inlet '{inlet_id}' in this sandbox."
        raise Invalid(detail, errors=[FieldError(path="inlet", code="unknown", detail=detail)])
