"""What several routes of the registry share."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.schemas.models import ResourceVersion

KEY = "An id, a `$id` or an alternative id."
DEFINITION = (
    "The part of the XDM document that is yours, as JSON Schema: `properties`, `required`, "
    "`definitions`. Your fields stand under your own root, such as `_luma`."
)


class JsonObject(serializers.JSONField):
    """A JSON object, whatever is in it."""

    default_error_messages = {"not_an_object": "This is a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return super().to_internal_value(data)


class ResourceVersionOut(serializers.ModelSerializer[ResourceVersion]):
    """One version of a resource and how it came about."""

    version = serializers.SerializerMethodField()
    changes = serializers.JSONField(
        help_text="What was added, removed and replaced, by JSON pointer."
    )
    document = serializers.JSONField()

    class Meta:
        model = ResourceVersion
        fields = ["version", "changes", "reason", "actor_name", "created_at", "document"]

    def get_version(self, row: ResourceVersion) -> str:
        return f"1.{row.version}"


class FieldIdentityOut(serializers.Serializer[Any]):
    """What identity a field's value is."""

    namespace = serializers.CharField()
    primary = serializers.BooleanField()


class SchemaFieldOut(serializers.Serializer[Any]):
    """A field of a schema or union."""

    path = serializers.CharField(help_text="Dotted, without brackets; `*` for the names in a map.")
    type = serializers.CharField(help_text="Of the items, where `array` is true.")
    xdm_type = serializers.CharField()
    format = serializers.CharField(allow_null=True)
    array = serializers.BooleanField()
    in_array = serializers.ListField(
        child=serializers.CharField(), help_text="The lists around it, outermost first."
    )
    required = serializers.BooleanField(  # type: ignore[assignment]  # a field of that name
        help_text="Whenever the object around it is there."
    )
    title = serializers.CharField()
    description = serializers.CharField()
    enum = serializers.ListField(help_text="The only values that are taken.")
    suggested = serializers.ListField(
        child=serializers.CharField(), help_text="Values to offer; others are taken, too."
    )
    deprecated = serializers.BooleanField()
    labels = serializers.SerializerMethodField()
    identity = serializers.SerializerMethodField()

    def get_labels(self, field: Any) -> list[str]:
        return sorted(field.labels)

    @extend_schema_field(FieldIdentityOut(allow_null=True))
    def get_identity(self, field: Any) -> dict[str, Any] | None:
        if field.namespace is None:
            return None
        return {"namespace": field.namespace, "primary": field.primary}


class RecordErrorOut(serializers.Serializer[Any]):
    """One thing that is wrong with a record."""

    path = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
