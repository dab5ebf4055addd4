"""Shapes of profiles: what goes in and what comes out."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer, example
from profiles.identity.namespaces import NamespaceType

MOST_AT_ONCE = 1_000


class IdentityOut(serializers.Serializer[Any]):
    """An identity."""

    namespace = serializers.CharField()
    value = serializers.CharField()


class SeenIdentityOut(serializers.Serializer[Any]):
    """An identity as far as the caller may see it."""

    namespace = serializers.CharField()
    value = serializers.CharField(
        allow_null=True,
        help_text="Null if it carries a label that none of the caller's roles does.",
    )


class IdentityIn(StrictSerializer):
    """An identity."""

    namespace = serializers.CharField(max_length=64)
    value = serializers.CharField(max_length=1_024, trim_whitespace=False)


class ProfileIdentityOut(IdentityOut):
    """One of a profile's identities."""

    type = serializers.ChoiceField(choices=[t.value for t in NamespaceType], allow_null=True)
    first_seen = serializers.DateTimeField()


class EventOut(serializers.Serializer[Any]):
    """Something that happened."""

    event_id = serializers.CharField()
    event_type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    dataset_id = serializers.CharField()
    identity = SeenIdentityOut(help_text="The identity that sent it.")
    body = serializers.DictField(help_text="The XDM event.")


class EventsOut(serializers.Serializer[Any]):
    """A page of events."""

    results = EventOut(many=True)
    next = serializers.CharField(allow_null=True)


class _PolicyOut(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class _SourceOut(serializers.Serializer[Any]):
    dataset_id = serializers.CharField()
    identity = SeenIdentityOut()
    at = serializers.DateTimeField()


@extend_schema_serializer(many=False)  # also where a collection's GET looks one up
class ProfileOut(serializers.Serializer[Any]):
    """A person: everything that is known, merged."""

    id = serializers.CharField()
    created_at = serializers.DateTimeField()
    merge_policy = _PolicyOut()
    attributes = serializers.DictField(help_text="Merged XDM attributes.")
    identities = ProfileIdentityOut(many=True)
    segments = serializers.DictField(help_text="Memberships by segment.")
    consents = serializers.DictField(help_text="The attributes under `consents`.")
    sources = serializers.DictField(
        child=_SourceOut(), required=False, help_text="With `sources=true`, by dotted path."
    )
    events = EventOut(
        many=True, required=False, allow_null=True, help_text="With `events=N`; null if away."
    )
    unavailable = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Parts whose store is away."
    )


class FragmentOut(serializers.Serializer[Any]):
    """What one dataset says of one identity."""

    dataset_id = serializers.CharField()
    identity = SeenIdentityOut()
    taken_at = serializers.DateTimeField()
    document = serializers.DictField()
    changed_in_part = serializers.DictField(child=serializers.DateTimeField())


@example(
    {
        "first": {"namespace": "Email", "value": "sarah@luma.com"},
        "second": {"namespace": "CRM", "value": "c-1"},
    }
)
class LinkIn(StrictSerializer):
    """The two identities of a link."""

    first = IdentityIn()
    second = IdentityIn()


class LinkOut(serializers.Serializer[Any]):
    """Two identities that one record named."""

    first = IdentityOut()
    second = IdentityOut()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    dataset_ids = serializers.ListField(child=serializers.CharField())
    record = serializers.CharField(help_text="The latest record that named both.")
    state = serializers.ChoiceField(choices=["joins", "refused", "dropped", "cut"])


class ExplanationOut(serializers.Serializer[Any]):
    """Why two identities are one person, or that they are not."""

    same_profile = serializers.BooleanField()
    links = LinkOut(many=True, help_text="The chain from the first to the second identity.")


class SplitOut(serializers.Serializer[Any]):
    """The profiles of both ends, after a link was cut or restored."""

    first_profile = serializers.CharField()
    second_profile = serializers.CharField()


@example({"identities": [{"namespace": "Email", "value": "sarah@luma.com"}], "ids": ["prf_12"]})
class BulkGetIn(StrictSerializer):
    """Whom to get."""

    identities = serializers.ListField(child=IdentityIn(), required=False, default=list)
    ids = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list
    )
    merge_policy = serializers.CharField(required=False)
    sources = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not 0 < len(attrs["identities"]) + len(attrs["ids"]) <= MOST_AT_ONCE:
            raise serializers.ValidationError(
                f"Ask for 1 to {MOST_AT_ONCE} identities and ids.", code="ask_for_some"
            )
        return attrs


class BulkItemOut(serializers.Serializer[Any]):
    """One answer of many."""

    asked = serializers.CharField()
    status = serializers.IntegerField(help_text="200, or 404 if nobody is known.")
    profile = ProfileOut(allow_null=True)


class BulkGetOut(serializers.Serializer[Any]):
    """Answers in the order asked: identities first, then ids."""

    results = BulkItemOut(many=True)


class FoundOut(serializers.Serializer[Any]):
    """A profile that a search has found."""

    id = serializers.CharField()
    matched = serializers.CharField(help_text="The name, address or number that was found.")


class SearchOut(serializers.Serializer[Any]):
    """A page of what a search has found, in the order of what was found."""

    results = FoundOut(many=True)
    next = serializers.CharField(allow_null=True)
