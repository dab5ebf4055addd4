"""Shapes of mapping sets."""

from typing import Any

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.datasets.mapping.rules import KINDS
from cdp.datasets.models import MappingSet, MappingVersion


class RuleShape(StrictSerializer):
    """One rule: an attribute's path, a constant, or an expression, and where it goes."""

    kind = serializers.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    source = serializers.JSONField(  # type: ignore[assignment]  # a field of ours, not theirs
        help_text="A path, a value, or the text of an expression."
    )
    destination = serializers.CharField(max_length=1_000, help_text="person.name.firstName")


def rules_field(**options: Any) -> Any:
    """Return the list of rules as a field."""
    return serializers.ListField(child=RuleShape(), min_length=1, max_length=2_000, **options)


class MappingSetOut(serializers.ModelSerializer[MappingSet]):
    """A mapping set with the rules of its newest version."""

    rules = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = MappingSet
        fields = ("id", "name", "schema_id", "version", "rules", "created_at", "updated_at")


class MappingSetPatch(StrictSerializer):
    """What can be changed of a mapping set; new rules make a new version."""

    name = serializers.CharField(max_length=200)
    rules = rules_field()


class MappingSetIn(MappingSetPatch):
    """A new mapping set."""

    schema_id = serializers.CharField(max_length=255)


class MappingVersionOut(serializers.ModelSerializer[MappingVersion]):
    """The rules of one version."""

    class Meta:
        model = MappingVersion
        fields = ("number", "rules", "created_at")


class ColumnIn(StrictSerializer):
    """A column of the source."""

    name = serializers.CharField(max_length=1_000)
    type = serializers.CharField(default="", allow_blank=True, max_length=20)


class SuggestIn(StrictSerializer):
    """What to suggest a mapping for: columns, or a table of a connection."""

    schema_id = serializers.CharField(max_length=255)
    columns = serializers.ListField(child=ColumnIn(), required=False, max_length=2_000)
    connection_id = serializers.CharField(required=False, max_length=40)
    selection = serializers.DictField(required=False)


class SuggestionOut(serializers.Serializer[Any]):
    """A rule that probably fits, and how probably, from 0 to 1."""

    rule = serializers.DictField()
    confidence = serializers.FloatField()


class SuggestOut(serializers.Serializer[Any]):
    """Suggested rules, and the columns that nothing was found for."""

    suggestions = SuggestionOut(many=True)
    unmapped = serializers.ListField(child=serializers.CharField())


class ValidateIn(StrictSerializer):
    """Rules to check for a schema."""

    schema_id = serializers.CharField(max_length=255)
    rules = rules_field()


class ValidateOut(serializers.Serializer[Any]):
    """What is wrong with rules; nothing if they can be used."""

    valid = serializers.BooleanField()
    errors = serializers.ListField(  # type: ignore[assignment]  # a field, not its mistakes
        child=serializers.DictField()
    )


class PreviewIn(ValidateIn):
    """Rows to try rules on."""

    rows = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=100)


class TriedRow(serializers.Serializer[Any]):
    """The record that a row became, with everything that is wrong with it."""

    record = serializers.DictField()
    errors = serializers.ListField(  # type: ignore[assignment]  # same
        child=serializers.DictField()
    )


class PreviewOut(serializers.Serializer[Any]):
    """What became of each row."""

    results = TriedRow(many=True)


class FunctionOut(serializers.Serializer[Any]):
    """A function of the expression language."""

    name = serializers.CharField()
    area = serializers.CharField()
    signature = serializers.CharField()
    description = serializers.CharField()
    example = serializers.SerializerMethodField()

    def get_example(self, function: Any) -> dict[str, Any] | None:
        if function.example is None:
            return None
        expression, result = function.example
        return {"expression": expression, "result": result}
