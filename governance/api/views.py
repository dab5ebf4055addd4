"""Routes of labels, marketing actions and policies."""

from abc import abstractmethod
from itertools import islice
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.catalogues import CataloguePagination
from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer
from cdp.api.views import SandboxViewSet
from governance import selectors
from governance.api.serializers import (
    BrokenUsesOut,
    EvaluationIn,
    EvaluationOut,
    LabelOut,
    MarketingActionOut,
    NamedIn,
    NamedPatch,
    PolicyIn,
    PolicyOut,
)
from governance.errors import CoreIsFixed, violation_document
from governance.evaluation import Node, Part, Use, UsedField, check_use
from governance.models import CorePolicyState, Label, MarketingAction, Policy, PolicyStatus
from governance.services import catalogue, policies
from governance.services.decisions import broken_uses

BROKEN_USES_SHOWN: Final = 100
PERMISSIONS: Final = {
    "list": "view-governance",
    "retrieve": "view-governance",
    "evaluate": "view-governance",
    "broken_uses": "view-governance",
    "*": "manage-governance",
}


class _CatalogueViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, SandboxViewSet):
    """What is known by a name that never changes."""

    permissions = PERMISSIONS
    pagination_class = CataloguePagination
    filter_backends = ()
    lookup_field = "name"

    def get_input_class(self) -> type[StrictSerializer]:
        return NamedPatch if self.action == "partial_update" else NamedIn

    def get_object(self) -> Any:
        entry = self.find(self.kwargs["name"])
        if entry.is_core and self.action == "partial_update":
            raise CoreIsFixed(f"'{entry.name}' comes with the platform and cannot be changed.")
        return entry

    @abstractmethod
    def find(self, name: str) -> Any:
        """Return the entry of that name. Raises `NotFound`."""

    def etag(self, row: Any) -> str:
        return f'"{row.name}.core"' if row.is_core else super().etag(row)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create one; its name stays as it is."""
        response = super().create(request, *args, **kwargs)
        response.headers["Location"] = f"{request.path.rstrip('/')}/{response.data['name']}/"
        return response


class LabelViewSet(_CatalogueViewSet):
    """Labels say what may not be done with the data that carries them."""

    noun = "label"
    serializer_class = LabelOut

    def get_queryset(self) -> Any:
        return selectors.list_labels(self.sandbox)

    def find(self, name: str) -> Any:
        return selectors.get_label(self.sandbox, name)

    def perform_create(self, values: dict[str, Any]) -> Label:
        return catalogue.create_label(sandbox=self.sandbox, actor=self.actor, **values)

    def perform_patch(self, row: Label, changes: dict[str, Any]) -> Label:
        return catalogue.change_label(actor=self.actor, label=row, **changes)


class MarketingActionViewSet(_CatalogueViewSet):
    """Marketing actions say what data is used for; destinations carry them."""

    noun = "marketing action"
    serializer_class = MarketingActionOut

    def get_queryset(self) -> Any:
        return selectors.list_marketing_actions(self.sandbox)

    def find(self, name: str) -> Any:
        return selectors.get_marketing_action(self.sandbox, name)

    def perform_create(self, values: dict[str, Any]) -> MarketingAction:
        return catalogue.create_marketing_action(sandbox=self.sandbox, actor=self.actor, **values)

    def perform_patch(self, row: MarketingAction, changes: dict[str, Any]) -> MarketingAction:
        return catalogue.change_marketing_action(actor=self.actor, marketing_action=row, **changes)


class PolicyPagination(CataloguePagination):
    """Pages over policies, whose names may change."""

    key = "policy_id"


class PolicyViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet):
    """Policies deny marketing actions with data that carries certain labels.

    The core policies are there from the start and disabled; only their `status` changes.
    """

    permissions = PERMISSIONS
    noun = "policy"
    pagination_class = PolicyPagination
    filter_backends = ()
    serializer_class = PolicyOut
    input_class = PolicyIn

    def get_queryset(self) -> Any:
        return selectors.list_policies(self.sandbox)

    def get_object(self) -> Policy | CorePolicyState:
        policy = selectors.get_policy(self.sandbox, self.kwargs["pk"])
        if isinstance(policy, CorePolicyState) and self.action == "partial_update":
            return policies.stored_core_policy(policy)  # a row to lock
        return policy

    def etag(self, row: Policy | CorePolicyState) -> str:
        # The status is all that changes of a core policy, which may have no row yet.
        return f'"{row.policy_id}.{row.status}"' if row.is_core else super().etag(row)

    def perform_create(self, values: dict[str, Any]) -> Policy:
        return policies.create_policy(sandbox=self.sandbox, actor=self.actor, **values)

    def perform_patch(
        self, row: Policy | CorePolicyState, changes: dict[str, Any]
    ) -> Policy | CorePolicyState:
        return policies.change_policy(actor=self.actor, policy=row, **changes)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete one; a core policy is disabled instead."""
        policy = self.get_object()
        if policy.is_core:
            policies.delete_policy(actor=self.actor, policy=policy)
        return super().destroy(request, *args, **kwargs)

    def perform_delete(self, row: Policy) -> None:
        policies.delete_policy(actor=self.actor, policy=row)

    @extend_schema(
        summary="Ask whether a use would be allowed", request=EvaluationIn, responses=EvaluationOut
    )
    @action(detail=False, methods=["post"])
    def evaluate(self, request: Request) -> Response:
        """Tell which enabled policies the marketing actions would violate with these labels.

        With `include_drafts` policies that are still drafts are asked, too. Nothing is stored.
        """
        asked = EvaluationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        selectors.require_marketing_actions(self.sandbox, values["marketing_actions"])
        selectors.require_labels(self.sandbox, values["labels"])
        violations = check_use(_imagined(values), self._asked(drafts=values["include_drafts"]))
        return Response(
            {
                "allowed": not violations,
                "violations": [violation_document(violation) for violation in violations],
            }
        )

    @extend_schema(summary="List live uses that the policy refuses", responses=BrokenUsesOut)
    @action(detail=True, methods=["get"], url_path="broken-uses")
    def broken_uses(self, request: Request, pk: str) -> Response:
        """List the live uses that this policy refuses, or would refuse if it were enabled.

        Ask before you enable a policy: what is listed stops when it next runs.
        """
        rule = selectors.get_policy(self.sandbox, pk).rule
        found = list(islice(broken_uses(self.sandbox, rules=[rule]), BROKEN_USES_SHOWN + 1))
        results = [
            {
                "type": broken.subject.type,
                "id": broken.subject.id,
                "name": broken.subject.name,
                "violations": [violation_document(each) for each in broken.violations],
            }
            for broken in found[:BROKEN_USES_SHOWN]
        ]
        return Response({"results": results, "has_more": len(found) > BROKEN_USES_SHOWN})

    def _asked(self, *, drafts: bool) -> list[Any]:
        statuses = {PolicyStatus.ENABLED, *([PolicyStatus.DRAFT] if drafts else [])}
        listed = selectors.list_policies(self.sandbox)
        return [policy.rule for policy in listed if policy.status in statuses]


def _imagined(values: dict[str, Any]) -> Use:
    labels = frozenset(values["labels"])
    use = Node("evaluation", "", "this use")
    fields = (UsedField("labels", labels, Part.MAPPING),)
    return Use(use, frozenset(values["marketing_actions"]), fields)
