"""`stages/` and `buried-items/`: the sandbox's unfinished work, and what was put aside."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import DeleteMixin, InputMixin, ListMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer
from cdp.api.views import SandboxViewSet
from cdp.queue import buried
from cdp.queue.backlogs import TopicState, sandbox_states
from cdp.queue.models import QueueItem

ITEMS_AT_ONCE = 500


class StageOut(serializers.Serializer[Any]):
    """The unfinished work of one stage of the pipeline."""

    topic = serializers.CharField()
    items = serializers.IntegerField(
        source="rows", help_text="Pieces of work that wait, rest or are worked on."
    )
    later = serializers.IntegerField(
        help_text="Those of the items that are timers: it is not time for them yet."
    )
    records = serializers.IntegerField(help_text="Records inside of them.")
    buried = serializers.IntegerField(help_text="Items that were put aside.")
    oldest_seconds = serializers.SerializerMethodField(
        help_text="For how long the oldest item that may be worked on has been waiting."
    )

    def get_oldest_seconds(self, state: TopicState) -> float:
        """Return the age as a number."""
        return state.oldest_age.total_seconds()


class StagesViewSet(SandboxViewSet):
    """The stages of the pipeline that hold work of the sandbox, and how far behind each is."""

    noun = "stage"
    permissions = {"list": "view-jobs"}
    filter_backends = ()
    pagination_class = None
    serializer_class = StageOut

    def list(self, request: Request) -> Response:
        """List the stages with unfinished work; one that is not there has none."""
        stages = self.get_serializer(sandbox_states(self.sandbox), many=True).data
        return Response({"results": stages, "next": None, "previous": None})


class BuriedItemOut(serializers.ModelSerializer[QueueItem]):
    """An item that was put aside, and why. What is in it stays inside."""

    id = serializers.CharField(source="public_id")
    records = serializers.IntegerField(source="count")
    reason = serializers.CharField(source="error")

    class Meta:
        model = QueueItem
        fields = [
            "id",
            "topic",
            "key",
            "records",
            "attempts",
            "reason",
            "created_at",
            "buried_at",
        ]


class ItemsIn(StrictSerializer):
    """Some items."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=ITEMS_AT_ONCE
    )


class ReplayedOut(serializers.Serializer[Any]):
    """How many items are on their way again."""

    replayed = serializers.IntegerField()


class BuriedItemsViewSet(InputMixin, ListMixin, RetrieveMixin, DeleteMixin, SandboxViewSet):
    """Work that failed again and again and was put aside, so that the rest could go on."""

    noun = "buried item"
    permissions = {"list": "view-jobs", "retrieve": "view-jobs", "*": "manage-jobs"}
    serializer_class = BuriedItemOut
    input_class = ItemsIn
    filterset_fields = ["topic", "key"]

    def get_queryset(self) -> Any:
        return buried.list_buried(self.sandbox)

    def get_object(self) -> QueueItem:
        return buried.get_buried(self.sandbox, self.kwargs["pk"])

    def perform_delete(self, row: QueueItem) -> None:
        buried.discard([row.public_id], sandbox=self.sandbox, actor=self.actor)

    @extend_schema(request=ItemsIn, responses=ReplayedOut)
    @action(detail=False, methods=["post"])
    def replay(self, request: Request) -> Response:
        """Put some back to work as if they were new: all of them, or none if one is missing."""
        ids = self.checked()["ids"]
        replayed = buried.replay(ids, sandbox=self.sandbox, actor=self.actor)
        return Response({"replayed": replayed})
