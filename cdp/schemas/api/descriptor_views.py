"""`descriptors/`: what is said of the fields of schemas."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import BaseSerializer

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.schemas import selectors
from cdp.schemas.api.descriptor_serializers import DescriptorIn, DescriptorOut, DescriptorPatch
from cdp.schemas.api.holding import TurnMixin
from cdp.schemas.models import Descriptor
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.services import descriptors


class DescriptorViewSet(
    TurnMixin, ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Statements about fields: identities, labels, keys, references, other names.

    They hold for every dataset of the schema and change nothing about which records are valid.
    """

    noun = "descriptor"
    permissions = {"list": "view-schemas", "retrieve": "view-schemas", "*": "manage-schemas"}
    serializer_class = DescriptorOut
    filterset_fields = ("schema_id", "kind")

    def get_queryset(self) -> QuerySet[Descriptor]:
        return selectors.list_descriptors(self.sandbox)

    def get_input_class(self) -> type[BaseSerializer[Any]]:
        return DescriptorPatch if self.action == "partial_update" else DescriptorIn

    def perform_create(self, values: dict[str, Any]) -> Descriptor:
        far = values.pop("destination_schema_id", None)
        return descriptors.create_descriptor(
            actor=self.actor,
            schema=selectors.get_schema(self.sandbox, values.pop("schema_id")),
            kind=DescriptorKind(values.pop("kind")),
            destination=selectors.get_schema(self.sandbox, far) if far else None,
            **values,
        )

    def perform_patch(self, row: Descriptor, changes: dict[str, Any]) -> Descriptor:
        return descriptors.change_descriptor(actor=self.actor, descriptor=row, **changes)

    def perform_delete(self, row: Descriptor) -> None:
        descriptors.delete_descriptor(actor=self.actor, descriptor=row)
