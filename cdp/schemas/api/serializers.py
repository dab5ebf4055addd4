"""What goes in and out of the registry's routes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.schemas.models import Descriptor, ResourceVersion, Schema
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.drafting import draft_of
from cdp.schemas.registry.resources import Kind

_KEY = "An id, a `$id` or an alternative id."
_DEFINITION = (
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


class EntryOut(serializers.Serializer[Any]):
    """A resource of the registry in a list."""

    id = serializers.CharField()
    alt_id = serializers.CharField()
    uri = serializers.CharField(help_text="The XDM `$id`.")
    title = serializers.CharField()
    description = serializers.CharField()
    container = serializers.ChoiceField(
        choices=["standard", "imported", "own"],
        help_text="Standard and imported resources are read-only.",
    )
    version = serializers.CharField()
    extends = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class EntryDetail(EntryOut):
    """A resource of the registry with its document."""

    document = serializers.JSONField(help_text="The XDM document, in registry form.")


class FieldGroupOut(EntryOut):
    """A field group in a list."""

    classes = serializers.ListField(
        child=serializers.CharField(), help_text="The classes it is made for; none means all."
    )


class FieldGroupDetail(FieldGroupOut):
    """A field group with its document."""

    document = serializers.JSONField(help_text="The XDM document, in registry form.")


class _ComponentIn(StrictSerializer):
    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    definition = JsonObject(default=dict, help_text=_DEFINITION)


class ClassIn(_ComponentIn):
    """A class of your own; what it extends never changes."""

    extends = serializers.CharField(
        max_length=500,
        help_text="The behavior or class that it stands on: `record`, `time-series`, "
        f"or a class. {_KEY}",
    )


class FieldGroupIn(_ComponentIn):
    """A field group of your own."""

    classes = serializers.ListField(
        child=serializers.CharField(max_length=500),
        default=list,
        max_length=100,
        help_text=f"The classes it is made for; none means all. {_KEY}",
    )


class DataTypeIn(_ComponentIn):
    """A data type of your own: an object that fields refer to."""


class ComponentPatch(StrictSerializer):
    """Changes; the definition is merged, so that `null` removes a key."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True)
    definition = JsonObject(help_text=_DEFINITION)


class FieldGroupPatch(ComponentPatch):
    """Changes; the definition is merged, so that `null` removes a key."""

    classes = serializers.ListField(
        child=serializers.CharField(max_length=500), max_length=100, help_text=_KEY
    )


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


class SchemaIn(StrictSerializer):
    """A schema: one class and any number of field groups. The class never changes."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    class_id = serializers.CharField(max_length=500, help_text=_KEY)
    field_groups = serializers.ListField(
        child=serializers.CharField(max_length=500), default=list, max_length=200, help_text=_KEY
    )
    definition = JsonObject(default=dict, help_text=_DEFINITION)


class SchemaPatch(StrictSerializer):
    """Changes to a schema."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True)
    field_groups = serializers.ListField(
        child=serializers.CharField(max_length=500), max_length=200, help_text=_KEY
    )
    definition = JsonObject(help_text=_DEFINITION)
    profile_enabled = serializers.BooleanField(
        help_text="Let its records into profiles. For good: it cannot be taken back."
    )
    identity_map_primary = serializers.BooleanField(
        help_text="With `profile_enabled`: every record marks a primary identity in `identityMap`."
    )


class IdentityOut(serializers.Serializer[Any]):
    """What identity a field's value is."""

    namespace = serializers.CharField()
    primary = serializers.BooleanField()


class FieldOut(serializers.Serializer[Any]):
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

    @extend_schema_field(IdentityOut(allow_null=True))
    def get_identity(self, field: Any) -> dict[str, Any] | None:
        if field.namespace is None:
            return None
        return {"namespace": field.namespace, "primary": field.primary}


class VersionOut(serializers.ModelSerializer[ResourceVersion]):
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


class SampleOut(serializers.Serializer[Any]):
    """A made-up record."""

    record = serializers.JSONField()


class RecordIn(StrictSerializer):
    """A record to be checked."""

    record = JsonObject()


class RecordErrorOut(serializers.Serializer[Any]):
    """One thing that is wrong with a record."""

    path = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class CheckOut(serializers.Serializer[Any]):
    """Whether a record may come in, and if not, every reason."""

    valid = serializers.BooleanField()
    errors = RecordErrorOut(many=True)  # type: ignore[assignment]  # a field of that name


class ExportOut(serializers.Serializer[Any]):
    """A schema with all it rests on, for `import/` elsewhere."""

    documents = serializers.ListField(child=serializers.JSONField())


class ImportIn(StrictSerializer):
    """Documents of an export, or of the public XDM repository."""

    documents = serializers.ListField(child=JsonObject(), min_length=1, max_length=5_000)
    partial = serializers.BooleanField(  # type: ignore[assignment]  # a field of that name
        default=False, help_text="Take what can be taken; otherwise everything or nothing."
    )


class ImportedOut(serializers.Serializer[Any]):
    """A resource that an import made."""

    id = serializers.CharField()
    uri = serializers.CharField()
    title = serializers.CharField()


class FailureOut(serializers.Serializer[Any]):
    """A document that an import could not take."""

    document = serializers.CharField(help_text="Its `$id`, or its place in the list.")
    errors = RecordErrorOut(many=True)  # type: ignore[assignment]  # a field of that name


class ImportOut(serializers.Serializer[Any]):
    """What an import did."""

    created = ImportedOut(many=True)
    descriptors = serializers.IntegerField()
    known = serializers.ListField(
        child=serializers.CharField(), help_text="What was here already, by `$id`."
    )
    failures = FailureOut(many=True)


class DescriptorOut(serializers.ModelSerializer[Descriptor]):
    """A statement about a field of a schema."""

    schema_title = serializers.CharField(source="schema.title")

    class Meta:
        model = Descriptor
        fields = [
            "id",
            "schema_id",
            "schema_title",
            "kind",
            "paths",
            "settings",
            "created_at",
            "updated_at",
        ]


class _SettingsIn(StrictSerializer):
    """The settings of all kinds; each kind takes its own."""

    namespace = serializers.CharField(
        max_length=255, required=False, help_text="Of an identity: the code of its namespace."
    )
    primary = serializers.BooleanField(
        required=False, help_text="Of an identity: whether it is the schema's primary one."
    )
    labels = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=100
    )
    destination_path = serializers.CharField(
        max_length=1000, required=False, help_text="Of a reference: the field it leads to."
    )
    cardinality = serializers.CharField(max_length=3, required=False)
    name = serializers.CharField(max_length=255, required=False)
    inverse_name = serializers.CharField(max_length=255, required=False)
    granularity = serializers.CharField(max_length=10, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    title = JsonObject(required=False, help_text="Titles by language.")
    description = JsonObject(required=False, help_text="Descriptions by language.")
    enum = JsonObject(required=False, help_text="Titles of values.")


class DescriptorIn(_SettingsIn):
    """A descriptor: the schema, the kind, the field, and the settings of its kind."""

    schema_id = serializers.CharField(max_length=500, help_text=_KEY)
    kind = serializers.ChoiceField(choices=[kind.value for kind in DescriptorKind])
    paths = serializers.ListField(
        child=serializers.CharField(max_length=1000),
        min_length=1,
        max_length=10,
        help_text="`personalEmail.address` or `/personalEmail/address`; several for a key.",
    )
    destination_schema_id = serializers.CharField(
        max_length=500, required=False, help_text=f"Of a reference: where it leads. {_KEY}"
    )


class DescriptorPatch(_SettingsIn):
    """Changes to what a descriptor says; its schema, kind and fields stay."""


class UnionOut(serializers.Serializer[Any]):
    """All schemas of a class that Profile reads, seen as one."""

    id = serializers.CharField(help_text="The alternative id of the class.")
    class_id = serializers.CharField(help_text="The `$id` of the class.")
    title = serializers.CharField()
    schemas = serializers.ListField(child=serializers.CharField())


class UnionDetail(UnionOut):
    """A union with its fields as one JSON Schema."""

    document = serializers.JSONField()
