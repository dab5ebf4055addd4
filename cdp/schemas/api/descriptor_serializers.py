"""What goes in and out of `descriptors/`."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.schemas.api import examples
from cdp.schemas.api.shapes import KEY, JsonObject
from cdp.schemas.models import Descriptor
from cdp.schemas.registry.descriptors import DescriptorKind


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


@extend_schema_serializer(examples=examples.DESCRIPTOR)
class DescriptorIn(_SettingsIn):
    """A descriptor: the schema, the kind, the field, and the settings of its kind."""

    schema_id = serializers.CharField(max_length=500, help_text=KEY)
    kind = serializers.ChoiceField(choices=[kind.value for kind in DescriptorKind])
    paths = serializers.ListField(
        child=serializers.CharField(max_length=1000),
        min_length=1,
        max_length=10,
        help_text="`personalEmail.address` or `/personalEmail/address`; several for a key.",
    )
    destination_schema_id = serializers.CharField(
        max_length=500, required=False, help_text=f"Of a reference: where it leads. {KEY}"
    )


@extend_schema_serializer(examples=examples.DESCRIPTOR_PATCH)
class DescriptorPatch(_SettingsIn):
    """Changes to what a descriptor says; its schema, kind and fields stay."""
