"""Shapes of governance."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from governance.core import Category
from governance.models import NAME, PolicyStatus

_EXPRESSION = {
    "description": "A label, or operands joined by AND or OR.",
    "oneOf": [
        {
            "type": "object",
            "required": ["label"],
            "properties": {"label": {"type": "string", "examples": ["C4"]}},
        },
        {
            "type": "object",
            "required": ["operator", "operands"],
            "properties": {
                "operator": {"type": "string", "enum": ["AND", "OR"]},
                "operands": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            },
        },
    ],
}


@extend_schema_field(_EXPRESSION)
class ExpressionField(serializers.JSONField):
    """The condition of a policy."""


class NamedIn(StrictSerializer):
    """A label or marketing action to be made."""

    name = serializers.CharField(max_length=63, validators=[NAME])
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=2_000, allow_blank=True, default="")


class NamedPatch(StrictSerializer):
    """What may change of a label or marketing action: its words."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=2_000, allow_blank=True)


class MarketingActionOut(serializers.Serializer[Any]):
    """A marketing action; `is_core` for those that come with the platform."""

    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    is_core = serializers.BooleanField()


class LabelOut(MarketingActionOut):
    """A label; `is_core` for those that come with the platform."""

    category = serializers.ChoiceField(choices=[(each.value, each.value) for each in Category])


class PolicyIn(StrictSerializer):
    """A policy to be made or changed."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=2_000, allow_blank=True, required=False)
    status = serializers.ChoiceField(choices=PolicyStatus.choices, required=False)
    marketing_actions = serializers.ListField(
        child=serializers.CharField(max_length=63), min_length=1, max_length=50
    )
    deny = ExpressionField()


class PolicyOut(serializers.Serializer[Any]):
    """A policy. Only an enabled one is asked."""

    id = serializers.CharField(source="policy_id")
    name = serializers.CharField()
    description = serializers.CharField()
    is_core = serializers.BooleanField()
    status = serializers.ChoiceField(choices=PolicyStatus.choices)
    marketing_actions = serializers.ListField(child=serializers.CharField())
    deny = ExpressionField()
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class EvaluationIn(StrictSerializer):
    """A use that is only thought of: would it be allowed?"""

    marketing_actions = serializers.ListField(
        child=serializers.CharField(max_length=63), min_length=1, max_length=50
    )
    labels = serializers.ListField(child=serializers.CharField(max_length=63), max_length=200)
    include_drafts = serializers.BooleanField(default=False)


class _PolicyRef(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class _Subject(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class _UsedField(serializers.Serializer[Any]):
    path = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    part = serializers.ChoiceField(choices=["rule", "mapping", "identity"])


class _Node(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())


class _Lineage(serializers.Serializer[Any]):
    nodes = _Node(many=True)
    edges = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class _Resolution(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ViolationOut(serializers.Serializer[Any]):
    """A policy that a use breaks: with which labels, how they came there, what would help."""

    policy = _PolicyRef()
    subject = _Subject()
    marketing_actions = serializers.ListField(child=serializers.CharField())
    labels = serializers.ListField(child=serializers.CharField())
    detail = serializers.CharField()
    fields_ = _UsedField(many=True)
    lineage = _Lineage()
    resolutions = _Resolution(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("fields_")  # a serializer's own attribute has that name
        return fields


class EvaluationOut(serializers.Serializer[Any]):
    """Whether the use would be allowed."""

    allowed = serializers.BooleanField()
    violations = ViolationOut(many=True)


class BrokenUseOut(serializers.Serializer[Any]):
    """A live use that a policy would refuse."""

    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()
    violations = ViolationOut(many=True)


class BrokenUsesOut(serializers.Serializer[Any]):
    """The live uses that a policy refuses, or would refuse if it were enabled."""

    results = BrokenUseOut(many=True)
    has_more = serializers.BooleanField()
