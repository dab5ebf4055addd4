"""Rules before they are saved, and evaluations of everybody, over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, InputMixin, ListMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from profiles.ids import profile_key
from segments import selectors
from segments.api.serializers import (
    EstimateOut,
    OverlapIn,
    OverlapOut,
    RuleIn,
    RuleOut,
    SegmentJobIn,
    SegmentJobOut,
)
from segments.language.print import print_rule
from segments.language.tree import write_tree
from segments.models import Evaluation
from segments.rules import accept, references
from segments.seeing import require_seen
from segments.services.estimates import estimate
from segments.services.evaluations import cancel_evaluation, request_evaluation
from segments.services.lifecycle import refuse_unknown_segments
from segments.services.overlaps import overlap
from segments.vocabulary import vocabulary


class ConversionViewSet(InputMixin, SandboxViewSet):
    """A rule from one form into the other."""

    noun = "rule"
    permissions = {"*": "view-segments"}
    input_class = RuleIn
    serializer_class = RuleOut

    @extend_schema(request=RuleIn, responses=RuleOut)
    def create(self, request: Request) -> Response:
        """Convert a rule: text into its tree, or a tree into its text; checked on the way."""
        words = vocabulary(self.sandbox)
        rule = accept(words, **self.checked())
        refuse_unknown_segments(self.sandbox, references(rule, words))
        return Response({"rule": write_tree(rule), "text": print_rule(rule)})


class EstimateViewSet(InputMixin, SandboxViewSet):
    """How many people a rule would find."""

    noun = "estimate"
    permissions = {"*": "view-segments"}
    input_class = RuleIn
    serializer_class = EstimateOut

    @extend_schema(request=RuleIn, responses=EstimateOut)
    def create(self, request: Request) -> Response:
        """Estimate the size of a segment before it is saved, with some of its members."""
        words = vocabulary(self.sandbox)
        rule = accept(words, **self.checked())
        refuse_unknown_segments(self.sandbox, references(rule, words))
        require_seen(self.sandbox, self.actor, rule, words)
        found = estimate(self.sandbox, rule, words)
        shown = EstimateOut(found).data
        return Response({**shown, "preview": [profile_key(p) for p in found.preview]})


class OverlapViewSet(InputMixin, SandboxViewSet):
    """How much two segments have in common."""

    noun = "overlap"
    permissions = {"*": "view-segments"}
    input_class = OverlapIn
    serializer_class = OverlapOut

    @extend_schema(request=OverlapIn, responses=OverlapOut)
    def create(self, request: Request) -> Response:
        """Compare the members of two segments."""
        given = self.checked()
        first = selectors.get_segment(self.sandbox, given["first"])
        second = selectors.get_segment(self.sandbox, given["second"])
        return Response(OverlapOut(overlap(first, second)).data)


class SegmentJobViewSet(ListMixin, RetrieveMixin, CreateMixin, SandboxViewSet):
    """Evaluations of everybody: asked for, under way, done."""

    noun = "segment job"
    permissions = {"list": "view-segments", "retrieve": "view-segments", "*": "manage-segments"}
    serializer_class = SegmentJobOut
    input_class = SegmentJobIn
    filterset_fields = ("state", "schedule_id")
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Evaluation]:
        return selectors.list_whole_evaluations(self.sandbox)

    def perform_create(self, values: dict[str, Any]) -> Evaluation:
        segments = [selectors.get_segment(self.sandbox, key).pk for key in values["segments"]]
        return request_evaluation(actor=self.actor, sandbox=self.sandbox, segments=segments)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Evaluate segments for everybody; a request that another answers too is that one."""
        response = super().create(request, *args, **kwargs)
        response.status_code = status.HTTP_202_ACCEPTED
        return response

    @extend_schema(request=None, responses=SegmentJobOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it, as long as it has changed nothing."""
        row = self.get_locked_object()
        return self.shown(cancel_evaluation(actor=self.actor, evaluation=row))
