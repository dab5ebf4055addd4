"""What goes in and out of `classes/`, `field-groups/` and `data-types/`."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.schemas.api import examples
from cdp.schemas.api.shapes import DEFINITION, KEY, JsonObject


class RegistryEntryOut(serializers.Serializer[Any]):
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


class RegistryEntryDetail(RegistryEntryOut):
    """A resource of the registry with its document."""

    document = serializers.JSONField(help_text="The XDM document, in registry form.")


class FieldGroupOut(RegistryEntryOut):
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
    definition = JsonObject(default=dict, help_text=DEFINITION)


@extend_schema_serializer(examples=examples.CLASS)
class ClassIn(_ComponentIn):
    """A class of your own; what it extends never changes."""

    extends = serializers.CharField(
        max_length=500,
        help_text="The behavior or class that it stands on: `record`, `time-series`, "
        f"or a class. {KEY}",
    )


@extend_schema_serializer(examples=examples.FIELD_GROUP)
class FieldGroupIn(_ComponentIn):
    """A field group of your own."""

    classes = serializers.ListField(
        child=serializers.CharField(max_length=500),
        default=list,
        max_length=100,
        help_text=f"The classes it is made for; none means all. {KEY}",
    )


@extend_schema_serializer(examples=examples.DATA_TYPE)
class DataTypeIn(_ComponentIn):
    """A data type of your own: an object that fields refer to."""


@extend_schema_serializer(examples=examples.COMPONENT_PATCH)
class ComponentPatch(StrictSerializer):
    """Changes; the definition is merged, so that `null` removes a key."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True)
    definition = JsonObject(help_text=DEFINITION)


@extend_schema_serializer(examples=examples.COMPONENT_PATCH)
class FieldGroupPatch(ComponentPatch):
    """Changes; the definition is merged, so that `null` removes a key."""

    classes = serializers.ListField(
        child=serializers.CharField(max_length=500), max_length=100, help_text=KEY
    )
