"""`profile-deletes/`, `record-deletes/` and `retention/`: what goes, and when."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin, ListMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from cdp.errors import FieldError, Invalid
from profiles.api.shapes import MOST_AT_ONCE, IdentityIn
from profiles.enums import DeletionKind
from profiles.ids import parse_profile_key
from profiles.models import DeletionOrder, RetentionSettings
from profiles.selectors.identities import stored_identities
from profiles.selectors.people import people_of_identities, people_of_ids
from profiles.selectors.requests import find_retention, list_deletions
from profiles.services import privacy

MOST_IDENTITIES = 100_000


class DeletionOut(serializers.ModelSerializer[DeletionOrder]):
    """An order to delete. `receipts` tells what went."""

    class Meta:
        model = DeletionOrder
        fields = (
            "id",
            "kind",
            "title",
            "dataset_id",
            "count",
            "state",
            "receipts",
            "detail",
            "job_id",
            "created_at",
            "completed_at",
        )


@example({"ids": ["prf_12"], "title": "Test persons"})
class ProfileDeleteIn(StrictSerializer):
    """Which profiles go, or which dataset's say in all of them."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=40), default=list, max_length=MOST_AT_ONCE
    )
    identities = serializers.ListField(child=IdentityIn(), default=list, max_length=MOST_AT_ONCE)
    dataset_id = serializers.CharField(max_length=40, required=False)
    title = serializers.CharField(max_length=200, required=False, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["ids"] or attrs["identities"]) == ("dataset_id" in attrs):
            raise serializers.ValidationError(
                "Name profiles by ids or identities, or else a dataset.", code="name_one"
            )
        return attrs


@example({"identities": [{"namespace": "Email", "value": "sarah@luma.com"}], "title": "Ticket 7"})
class RecordDeleteIn(StrictSerializer):
    """Whose rows go: those that belong to these identities."""

    identities = serializers.ListField(child=IdentityIn(), min_length=1, max_length=MOST_IDENTITIES)
    dataset_id = serializers.CharField(
        max_length=40, required=False, default="", help_text="Without it, of all datasets."
    )
    title = serializers.CharField(max_length=200, required=False, default="")


class _QuotaState(serializers.Serializer[Any]):
    used = serializers.IntegerField()
    limit = serializers.IntegerField()


class QuotaOut(serializers.Serializer[Any]):
    """How many identities were ordered deleted, and how many may be."""

    daily = _QuotaState()
    monthly = _QuotaState()


class _DeletionsViewSet(ListMixin, RetrieveMixin, InputMixin, SandboxViewSet):
    permissions = {"*": "manage-privacy"}
    serializer_class = DeletionOut
    filterset_fields = ("state",)
    kinds: tuple[DeletionKind, ...] = ()

    def get_queryset(self) -> Any:
        return list_deletions(self.sandbox).filter(kind__in=self.kinds)

    def accepted(self, order: DeletionOrder) -> Response:
        """Answer that an order has been taken."""
        return Response(DeletionOut(order).data, status=status.HTTP_202_ACCEPTED)


class ProfileDeletesViewSet(_DeletionsViewSet):
    """Orders to delete profiles, or what a dataset says of anybody."""

    noun = "profile deletion"
    input_class = ProfileDeleteIn
    kinds = (DeletionKind.PROFILES, DeletionKind.DATASET)

    @extend_schema(request=ProfileDeleteIn, responses={202: DeletionOut})
    def create(self, request: Request) -> Response:
        """Have profiles deleted with all that feeds them; new data may make them again."""
        asked = self.checked()
        if "dataset_id" in asked:
            return self.accepted(
                privacy.delete_dataset_rows(
                    actor=self.actor,
                    sandbox=self.sandbox,
                    dataset_id=asked["dataset_id"],
                    title=asked["title"],
                )
            )
        given = [(one["namespace"], one["value"]) for one in asked["identities"]]
        people = people_of_identities(
            self.sandbox, stored_identities(self.sandbox, given) if given else []
        )
        people += people_of_ids(self.sandbox, _numbers(asked["ids"]))
        return self.accepted(
            privacy.delete_profiles(
                actor=self.actor,
                sandbox=self.sandbox,
                profiles=sorted({person.id for person in people if person is not None}),
                title=asked["title"],
            )
        )


def _numbers(keys: Sequence[str]) -> list[int]:
    """Return the numbers of profiles; one that is gone already is none the worse for it."""
    numbers = [parse_profile_key(key) for key in keys]
    errors = [
        FieldError(
            path=f"ids.{place}", code="invalid", detail=f"'{keys[place]}' is no profile's id."
        )
        for place, number in enumerate(numbers)
        if number is None
    ]
    if errors:
        raise Invalid("Ids of profiles look like prf_12; see `errors`.", errors=errors)
    return [number for number in numbers if number is not None]


class RecordDeletesViewSet(_DeletionsViewSet):
    """Orders to delete the rows of identities."""

    noun = "record deletion"
    input_class = RecordDeleteIn
    kinds = (DeletionKind.RECORDS,)
    max_body = 10_000_000

    @extend_schema(request=RecordDeleteIn, responses={202: DeletionOut})
    def create(self, request: Request) -> Response:
        """Have rows deleted that belong to these identities; it cannot be taken back."""
        asked = self.checked()
        given = [(one["namespace"], one["value"]) for one in asked["identities"]]
        return self.accepted(
            privacy.delete_records(
                actor=self.actor,
                sandbox=self.sandbox,
                identities=stored_identities(self.sandbox, given),
                dataset_id=asked["dataset_id"],
                title=asked["title"],
            )
        )

    @extend_schema(responses=QuotaOut)
    @action(detail=False)
    def quota(self, request: Request) -> Response:
        """Show how many identities may still be deleted."""
        return Response(privacy.quota(self.sandbox))


class RetentionOut(serializers.ModelSerializer[RetentionSettings]):
    """How long anonymous people are kept."""

    class Meta:
        model = RetentionSettings
        fields = ("anonymous_namespaces", "anonymous_days", "swept_at", "updated_at")


@example({"anonymous_namespaces": ["ECID"], "anonymous_days": 14})
class RetentionIn(StrictSerializer):
    """After how many days without a sign of life anonymous people go."""

    anonymous_namespaces = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=50
    )
    anonymous_days = serializers.IntegerField(min_value=1, max_value=3_650, allow_null=True)


class RetentionViewSet(InputMixin, SandboxViewSet):
    """How long people are kept of whom only anonymous identities are known."""

    noun = "retention"
    permissions = {"*": "manage-privacy"}
    input_class = RetentionIn

    @extend_schema(responses=RetentionOut)
    def retrieve(self, request: Request) -> Response:
        """Read after how long anonymous people go."""
        return Response(RetentionOut(find_retention(self.sandbox)).data)

    @extend_schema(request=RetentionIn, responses=RetentionOut)
    def update(self, request: Request) -> Response:
        """Set after how long anonymous people go; they are looked for once a day."""
        row = privacy.set_retention(actor=self.actor, sandbox=self.sandbox, **self.checked())
        return Response(RetentionOut(row).data)
