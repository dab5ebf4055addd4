"""Shapes of destinations."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from destinations.connectors.base import Connector, Mode
from destinations.enums import ConnectionState, DeliveryState, RunState
from destinations.mapping import MAX_ENTRIES
from destinations.models import Activation, ActivationRun, Delivery, DestinationConnection
from profiles.ids import profile_key
from segments.services.rough_sizes import rough_size


class DestinationTypeOut(serializers.Serializer[type[Connector]]):
    """A kind of destination. What `settings_schema` marks `writeOnly` is never shown again."""

    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    mode = serializers.ChoiceField(choices=[(each.value, each.value) for each in Mode])
    settings_schema = serializers.DictField()


class ConnectionIn(StrictSerializer):
    """A connection to be made."""

    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=40)
    settings = serializers.DictField()
    marketing_actions = serializers.ListField(
        child=serializers.CharField(max_length=63), max_length=50, min_length=1
    )


class ConnectionPatch(StrictSerializer):
    """What may change of a connection; settings are merged, and null takes one away."""

    name = serializers.CharField(max_length=200)
    settings = serializers.DictField()
    marketing_actions = serializers.ListField(
        child=serializers.CharField(max_length=63), max_length=50, min_length=1
    )
    state = serializers.ChoiceField(choices=ConnectionState.choices)


class ConnectionOut(serializers.ModelSerializer[DestinationConnection]):
    """A connection, without its secrets; `secrets_set` names those that it has."""

    secrets_set = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = DestinationConnection
        fields = [
            "id",
            "name",
            "kind",
            "settings",
            "secrets_set",
            "marketing_actions",
            "state",
            "stopped_because",
            "failures",
            "resting_until",
            "created_at",
            "updated_at",
        ]


class NewConnectionOut(ConnectionOut):
    """A new connection with the secrets that were made for it, shown only this once."""

    made_secrets = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta(ConnectionOut.Meta):
        fields = [*ConnectionOut.Meta.fields, "made_secrets"]


class ConnectionTestOut(serializers.Serializer[Any]):
    """What a test of a connection found."""

    detail = serializers.CharField()


class MappingEntry(StrictSerializer):
    """A field that is sent, and its new name.

    It is an attribute by path, an identity by namespace, or an attribute that the segment
    knows of its members: of an upload's rows, or of what a composition adds.
    """

    attribute = serializers.CharField(max_length=500, required=False)
    identity = serializers.CharField(max_length=64, required=False)
    segment_attribute = serializers.CharField(max_length=500, required=False)
    target = serializers.RegexField(
        r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$",
        error_messages={"invalid": "Use letters, digits, '_', '.' and '-', first a letter."},
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "target" not in attrs:  # a PATCH may leave out the mapping, not half of an entry
            raise serializers.ValidationError({"target": "Give the name it is sent under."})
        if sum(name in attrs for name in ("attribute", "identity", "segment_attribute")) != 1:
            raise serializers.ValidationError(
                "Give one of `attribute`, `identity` and `segment_attribute`."
            )
        return attrs


class ActivationIn(StrictSerializer):
    """An activation to be made. With a start and no end it ends 90 days later."""

    connection_id = serializers.CharField(max_length=40)
    segment_id = serializers.CharField(max_length=40)
    mapping = serializers.ListField(child=MappingEntry(), required=False, max_length=MAX_ENTRIES)
    enabled = serializers.BooleanField(required=False)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class ActivationPatch(StrictSerializer):
    """What may change of an activation. A mapping replaces the one before."""

    mapping = serializers.ListField(child=MappingEntry(), required=False, max_length=MAX_ENTRIES)
    enabled = serializers.BooleanField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class RoughSizeOut(serializers.Serializer[Any]):
    """How many people are in a segment, and how that is known."""

    size = serializers.IntegerField()
    at = serializers.DateTimeField()
    estimated = serializers.BooleanField(help_text="Estimated at that moment, not counted.")


class ActivationOut(serializers.ModelSerializer[Activation]):
    """A segment that is sent to a connection; `refused_because` while a policy forbids it.

    `people` is roughly how many are in the segment: as counted when it was evaluated, or
    else, for one activation, as estimated now; null where neither can be said.
    """

    mapping = MappingEntry(many=True)
    people = serializers.SerializerMethodField()

    class Meta:
        model = Activation
        fields = [
            "id",
            "connection_id",
            "segment_id",
            "mapping",
            "people",
            "enabled",
            "starts_at",
            "ends_at",
            "refused_because",
            "created_at",
            "updated_at",
        ]

    @extend_schema_field(RoughSizeOut(allow_null=True))
    def get_people(self, activation: Activation) -> dict[str, Any] | None:
        """Return how many people are in the segment."""
        is_one = getattr(self.context.get("view"), "action", "") != "list"
        size = rough_size(activation.segment, estimated=is_one)
        return dict(RoughSizeOut(size).data) if size else None


class RunOut(serializers.ModelSerializer[ActivationRun]):
    """A window of deliveries, an hour of a stream or one file, with what became of them."""

    state = serializers.ChoiceField(choices=RunState.choices)
    pending = serializers.IntegerField()

    class Meta:
        model = ActivationRun
        fields = [
            "id",
            "state",
            "started_at",
            "closes_at",
            "finished_at",
            "received",
            "delivered",
            "failed",
            "refused",
            "pending",
            "reference",
            "error",
        ]


class DeliveryOut(serializers.ModelSerializer[Delivery]):
    """One change of one profile on its way; `batch` is the id it was sent under."""

    id = serializers.CharField(source="public_id")
    profile_id = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=DeliveryState.choices)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "run_id",
            "profile_id",
            "entered",
            "at",
            "state",
            "batch",
            "error",
            "finished_at",
        ]

    def get_profile_id(self, delivery: Delivery) -> str:
        """Return the profile's public id."""
        return profile_key(delivery.profile_id)
