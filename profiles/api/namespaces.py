"""`namespaces/`: the kinds of identifiers."""

from typing import Any

from rest_framework import serializers

from cdp.api.catalogues import CataloguePagination
from cdp.api.mixins import CreateMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from profiles.enums import NamespaceType, Normaliser
from profiles.identity.namespaces import EVICTION_CLASS
from profiles.identity.namespaces import NamespaceType as PureType
from profiles.models import Namespace
from profiles.selectors.namespaces import every_namespace, get_namespace
from profiles.services import namespaces


class NamespaceOut(serializers.ModelSerializer[Namespace]):
    """A kind of identifier. Those that do not stitch never join records to one person."""

    custom = serializers.SerializerMethodField()
    stitches = serializers.SerializerMethodField()

    class Meta:
        model = Namespace
        fields = (
            "id",
            "code",
            "name",
            "type",
            "normaliser",
            "description",
            "custom",
            "stitches",
            "created_at",
            "updated_at",
        )

    def get_custom(self, row: Namespace) -> bool:
        return row.created_at is not None

    def get_stitches(self, row: Namespace) -> bool:
        return PureType(row.type) in EVICTION_CLASS


class NamespacePatch(StrictSerializer):
    """What may change of a namespace: its words."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5_000, allow_blank=True)


@example({"code": "CRM", "name": "CRM id", "type": "Cross_device"})
class NamespaceIn(StrictSerializer):
    """A new namespace. Its code, type and normaliser never change."""

    code = serializers.RegexField(
        r"^[A-Za-z][A-Za-z0-9_]{0,62}$", help_text="Letters, digits and underscores."
    )
    name = serializers.CharField(max_length=200, required=False)
    type = serializers.ChoiceField(choices=NamespaceType.choices)
    normaliser = serializers.ChoiceField(choices=Normaliser.choices, required=False)
    description = serializers.CharField(max_length=5_000, required=False, allow_blank=True)


class NamespacePagination(CataloguePagination):
    """Pages over namespaces."""

    key = "code"


class NamespacesViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, SandboxViewSet):
    """Kinds of identifiers: the standard ones, and those that the sandbox has added."""

    noun = "namespace"
    lookup_field = "code"
    permissions = {
        "list": "view-identities",
        "retrieve": "view-identities",
        "*": "manage-identities",
    }
    serializer_class = NamespaceOut
    pagination_class = NamespacePagination
    filter_backends = ()

    def get_input_class(self) -> type[StrictSerializer]:
        return NamespacePatch if self.action == "partial_update" else NamespaceIn

    def get_queryset(self) -> Any:
        return every_namespace(self.sandbox)

    def get_object(self) -> Namespace:
        return get_namespace(self.sandbox, self.kwargs["code"])

    def get_locked_object(self) -> Namespace:
        found = self.get_object()
        return super().get_locked_object() if found.created_at else found

    def etag(self, row: Namespace) -> str:
        return super().etag(row) if row.created_at else f'"{row.code}.standard"'

    def perform_create(self, values: dict[str, Any]) -> Namespace:
        return namespaces.create_namespace(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Namespace, changes: dict[str, Any]) -> Namespace:
        return namespaces.change_namespace(actor=self.actor, namespace=row, **changes)
