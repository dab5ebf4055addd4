"""`computed-attributes/`: values that are worked out of a person's events."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from profiles.computed.definition import MOST_KEPT, OPERATORS, ROOT
from profiles.enums import ComputedFunction, LookbackUnit
from profiles.models import ComputedAttribute
from profiles.selectors.computed import list_computed_attributes
from profiles.services import computed_attributes

MOST_CONDITIONS = 20


class ConditionIn(StrictSerializer):
    """A test that an event must pass to count."""

    field = serializers.CharField(max_length=500)
    operator = serializers.ChoiceField(choices=OPERATORS)
    value = serializers.JSONField(required=False, help_text="A list for `in`.")


class ComputedAttributeOut(serializers.ModelSerializer[ComputedAttribute]):
    """A computed attribute. `path` is where profiles hold its value."""

    path = serializers.SerializerMethodField()
    conditions = ConditionIn(many=True)

    class Meta:
        model = ComputedAttribute
        fields = (
            "id",
            "name",
            "title",
            "description",
            "state",
            "path",
            "function",
            "field",
            "conditions",
            "lookback_length",
            "lookback_unit",
            "keep",
            "evaluated_at",
            "created_at",
            "updated_at",
        )

    def get_path(self, row: ComputedAttribute) -> str:
        return f"_{row.sandbox.organization.tenant_namespace}.{ROOT}.{row.name}"


class ComputedAttributePatch(StrictSerializer):
    """What may change: of a draft all but its name, of what is published only the words."""

    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = serializers.CharField(max_length=5_000, required=False, allow_blank=True)
    function = serializers.ChoiceField(choices=ComputedFunction.choices)
    field = serializers.CharField(max_length=500, required=False, allow_blank=True)
    conditions = serializers.ListField(
        child=ConditionIn(), required=False, max_length=MOST_CONDITIONS
    )
    lookback_length = serializers.IntegerField(min_value=1, max_value=4_464)
    lookback_unit = serializers.ChoiceField(choices=LookbackUnit.choices)
    keep = serializers.IntegerField(min_value=1, max_value=MOST_KEPT, required=False)


@example(
    {
        "name": "spentThisQuarter",
        "function": "sum",
        "field": "commerce.order.priceTotal",
        "conditions": [{"field": "eventType", "operator": "=", "value": "commerce.purchases"}],
        "lookback_length": 3,
        "lookback_unit": "months",
    }
)
class ComputedAttributeIn(ComputedAttributePatch):
    """A new computed attribute."""

    name = serializers.RegexField(r"^[A-Za-z][A-Za-z0-9_]{0,62}$")


class ComputedAttributesViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Computed attributes: what a person's events come to, such as what she spent in a year."""

    noun = "computed attribute"
    permissions = {
        "list": "view-profiles",
        "retrieve": "view-profiles",
        "*": "manage-profiles",
    }
    serializer_class = ComputedAttributeOut
    filterset_fields = ("state", "name")

    def get_input_class(self) -> type[StrictSerializer]:
        partial = self.action == "partial_update"
        return ComputedAttributePatch if partial else ComputedAttributeIn

    def get_queryset(self) -> Any:
        return list_computed_attributes(self.sandbox).select_related("sandbox__organization")

    def perform_create(self, values: dict[str, Any]) -> ComputedAttribute:
        return computed_attributes.create_computed_attribute(
            actor=self.actor, sandbox=self.sandbox, **values
        )

    def perform_patch(self, row: ComputedAttribute, changes: dict[str, Any]) -> ComputedAttribute:
        return computed_attributes.change_computed_attribute(
            actor=self.actor, attribute=row, **changes
        )

    def perform_delete(self, row: ComputedAttribute) -> None:
        computed_attributes.delete_computed_attribute(actor=self.actor, attribute=row)

    @extend_schema(request=None, responses=ComputedAttributeOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Work it out from now on, and for everybody from the events that are there."""
        return self.shown(
            computed_attributes.publish_computed_attribute(
                actor=self.actor, attribute=self.get_locked_object()
            )
        )

    @extend_schema(request=None, responses=ComputedAttributeOut)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Stop working it out; its values go."""
        return self.shown(
            computed_attributes.disable_computed_attribute(
                actor=self.actor, attribute=self.get_locked_object()
            )
        )
