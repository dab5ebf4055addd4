"""What goes in and out of `schemas/` and `unions/`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.schemas.api import examples
from cdp.schemas.api.shapes import DEFINITION, KEY, JsonObject, RecordErrorOut
from cdp.schemas.models import Schema
from cdp.schemas.registry.drafting import draft_of
from cdp.schemas.registry.resources import Kind


class SchemaOut(serializers.ModelSerializer[Schema]):
    """A schema in a list."""

    alt_id = serializers.CharField()
    class_id = serializers.CharField(source="class_uri", help_text="The `$id` of its class.")
    field_groups = serializers.SerializerMethodField(help_text="The `$id`s of its field groups.")
    version = serializers.SerializerMethodField()
    profile_enabled = serializers.BooleanField()

    class Meta:
        model = Schema
        fields = [
            "id",
            "alt_id",
            "uri",
            "title",
            "description",
            "class_id",
            "behavior",
            "field_groups",
            "version",
            "profile_enabled",
            "profile_enabled_at",
            "identity_map_primary",
            "created_at",
            "updated_at",
        ]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_field_groups(self, row: Schema) -> list[str]:
        return list(draft_of(row.document, Kind.SCHEMA).bases[1:])

    def get_version(self, row: Schema) -> str:
        return f"1.{row.version}"


class SchemaDetail(SchemaOut):
    """A schema with its document."""

    document = serializers.JSONField(help_text="The XDM document, in registry form.")

    class Meta(SchemaOut.Meta):
        fields = [*SchemaOut.Meta.fields, "document"]


class SchemaResolved(SchemaOut):
    """A schema as plain JSON Schema 2020-12."""

    document = serializers.JSONField(
        source="resolved", help_text="Plain JSON Schema 2020-12, with all references followed."
    )

    class Meta(SchemaOut.Meta):
        fields = [*SchemaOut.Meta.fields, "document"]


@extend_schema_serializer(examples=examples.SCHEMA)
class SchemaIn(StrictSerializer):
    """A schema: one class and any number of field groups. The class never changes."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    class_id = serializers.CharField(max_length=500, help_text=KEY)
    field_groups = serializers.ListField(
        child=serializers.CharField(max_length=500), default=list, max_length=200, help_text=KEY
    )
    definition = JsonObject(default=dict, help_text=DEFINITION)


@extend_schema_serializer(examples=examples.SCHEMA_PATCH)
class SchemaPatch(StrictSerializer):
    """Changes to a schema."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True)
    field_groups = serializers.ListField(
        child=serializers.CharField(max_length=500), max_length=200, help_text=KEY
    )
    definition = JsonObject(help_text=DEFINITION)
    profile_enabled = serializers.BooleanField(
        help_text="Let its records into profiles. For good: it cannot be taken back."
    )
    identity_map_primary = serializers.BooleanField(
        help_text="With `profile_enabled`: every record marks a primary identity in `identityMap`."
    )


class SampleRecordOut(serializers.Serializer[Any]):
    """A made-up record."""

    record = serializers.JSONField()


@extend_schema_serializer(examples=examples.RECORD)
class CheckedRecordIn(StrictSerializer):
    """A record to be checked."""

    record = JsonObject()


class RecordCheckOut(serializers.Serializer[Any]):
    """Whether a record may come in, and if not, every reason."""

    valid = serializers.BooleanField()
    errors = RecordErrorOut(many=True)  # type: ignore[assignment]  # a field of that name


class SchemaExportOut(serializers.Serializer[Any]):
    """A schema with all it rests on, for `import/` elsewhere."""

    documents = serializers.ListField(child=serializers.JSONField())


@extend_schema_serializer(examples=examples.IMPORT)
class SchemaImportIn(StrictSerializer):
    """Documents of an export, or of the public XDM repository."""

    documents = serializers.ListField(child=JsonObject(), min_length=1, max_length=5_000)
    partial = serializers.BooleanField(  # type: ignore[assignment]  # a field of that name
        default=False, help_text="Take what can be taken; otherwise everything or nothing."
    )


class ImportedResourceOut(serializers.Serializer[Any]):
    """A resource that an import made."""

    id = serializers.CharField()
    uri = serializers.CharField()
    title = serializers.CharField()


class ImportFailureOut(serializers.Serializer[Any]):
    """A document that an import could not take."""

    document = serializers.CharField(help_text="Its `$id`, or its place in the list.")
    errors = RecordErrorOut(many=True)  # type: ignore[assignment]  # a field of that name


class SchemaImportOut(serializers.Serializer[Any]):
    """What an import did."""

    created = ImportedResourceOut(many=True)
    descriptors = serializers.IntegerField()
    known = serializers.ListField(
        child=serializers.CharField(), help_text="What was here already, by `$id`."
    )
    failures = ImportFailureOut(many=True)


class UnionOut(serializers.Serializer[Any]):
    """All schemas of a class that Profile reads, seen as one."""

    id = serializers.CharField(help_text="The alternative id of the class.")
    class_id = serializers.CharField(help_text="The `$id` of the class.")
    title = serializers.CharField()
    schemas = serializers.ListField(child=serializers.CharField())


class UnionDetail(UnionOut):
    """A union with its fields as one JSON Schema."""

    document = serializers.JSONField()
