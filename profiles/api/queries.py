"""What may be asked in the query of a profile's routes."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from cdp.api.serializers import StrictSerializer

MOST_EVENTS = 100


@extend_schema_field(OpenApiTypes.STR)
class PathsField(serializers.Field[list[str], str, list[str], Any]):
    """Dotted paths between commas."""

    def to_internal_value(self, data: str) -> list[str]:
        return [path for path in (part.strip() for part in data.split(",")) if path]


class ProfileQuery(StrictSerializer):
    """How much of a profile to show."""

    merge_policy = serializers.CharField(required=False, help_text="Instead of the default one.")
    sources = serializers.BooleanField(
        required=False, default=False, help_text="Tell for every value where it comes from."
    )
    events = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=MOST_EVENTS,
        help_text="How many of the newest events to add.",
    )
    fields = PathsField(  # type: ignore[assignment]  # the name that the API promises
        required=False, help_text="Only these attributes: dotted paths between commas."
    )


class IdentityQuery(StrictSerializer):
    """Which identity."""

    identity = serializers.CharField(
        max_length=1_200, help_text="`Namespace:value`, such as `Email:sarah@luma.com`."
    )


class LookupQuery(IdentityQuery, ProfileQuery):
    """Whom to show, and how much."""


class EventsQuery(StrictSerializer):
    """Which events, in which order."""

    since = serializers.DateTimeField(required=False, help_text="From then on.")
    until = serializers.DateTimeField(required=False, help_text="Before then.")
    event_type = serializers.CharField(
        required=False, help_text="Only events of this type, such as `commerce.purchases`."
    )
    dataset = serializers.CharField(required=False, help_text="Only events of this dataset.")
    ordering = serializers.ChoiceField(
        required=False,
        choices=["-timestamp", "timestamp"],
        default="-timestamp",
        help_text="Newest or oldest first.",
    )
    limit = serializers.IntegerField(
        required=False,
        default=DEFAULT_LIMIT,
        min_value=1,
        max_value=MAX_LIMIT,
        help_text="How many results a page holds at most.",
    )
    cursor = serializers.CharField(required=False, help_text="Take it from `next`.")


class ExplainQuery(StrictSerializer):
    """Between which two identities; without them, all links."""

    first = serializers.CharField(required=False, max_length=1_200, help_text="`Namespace:value`.")
    second = serializers.CharField(required=False, max_length=1_200, help_text="`Namespace:value`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) == 1:
            raise serializers.ValidationError("Name both identities, or none.", code="name_both")
        return attrs


class SearchQuery(StrictSerializer):
    """What a person's name, e-mail address or telephone number begins with, or an identity."""

    name = serializers.CharField(
        required=False, min_length=2, max_length=200, help_text="What a name begins with."
    )
    email = serializers.CharField(
        required=False, min_length=2, max_length=200, help_text="What an address begins with."
    )
    phone = serializers.CharField(
        required=False, min_length=3, max_length=40, help_text="What a number begins with."
    )
    identity = serializers.CharField(
        required=False, max_length=1_200, help_text="`Namespace:value`, exactly."
    )
    limit = serializers.IntegerField(
        required=False,
        default=DEFAULT_LIMIT,
        min_value=1,
        max_value=MAX_LIMIT,
        help_text="How many results a page holds at most.",
    )
    cursor = serializers.CharField(required=False, help_text="Take it from `next`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        asked = [kind for kind in ("name", "email", "phone", "identity") if kind in attrs]
        if len(asked) != 1:
            raise serializers.ValidationError(
                "Ask for one of name, email, phone and identity.", code="ask_for_one"
            )
        return attrs
