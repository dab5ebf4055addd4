"""`merge-policies/`: how fragments become one view."""

from typing import Any

from rest_framework import serializers

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from profiles.enums import AttributeMerge, GraphUse
from profiles.models import MergePolicy
from profiles.selectors.rules import list_merge_policies
from profiles.services import merge_policies


class MergePolicyOut(serializers.ModelSerializer[MergePolicy]):
    """How fragments become one view."""

    class Meta:
        model = MergePolicy
        fields = (
            "id",
            "name",
            "graph",
            "attributes",
            "datasets",
            "source_timed",
            "is_default",
            "active_on_edge",
            "version",
            "created_at",
            "updated_at",
        )


@example(
    {
        "name": "CRM first",
        "attributes": "dataSetPrecedence",
        "datasets": ["ds_01m8m3arraepchged4d3fdj285", "ds_01m8m3arq7gkfqqf64xb6mjxkw"],
    }
)
class MergePolicyIn(StrictSerializer):
    """A merge policy."""

    name = serializers.CharField(max_length=200)
    graph = serializers.ChoiceField(
        choices=GraphUse.choices,
        required=False,
        help_text="`pdg`: all identities of a graph are one person; `none`: each is for itself.",
    )
    attributes = serializers.ChoiceField(choices=AttributeMerge.choices, required=False)
    datasets = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=100
    )
    source_timed = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=100
    )
    is_default = serializers.BooleanField(required=False)
    active_on_edge = serializers.BooleanField(required=False)


class MergePoliciesViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Merge policies. Until one is the default, the newest value of each attribute wins."""

    noun = "merge policy"
    permissions = {
        "list": "view-profiles",
        "retrieve": "view-profiles",
        "*": "manage-profiles",
    }
    serializer_class = MergePolicyOut
    input_class = MergePolicyIn

    def get_queryset(self) -> Any:
        return list_merge_policies(self.sandbox)

    def perform_create(self, values: dict[str, Any]) -> MergePolicy:
        return merge_policies.create_merge_policy(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: MergePolicy, changes: dict[str, Any]) -> MergePolicy:
        return merge_policies.change_merge_policy(actor=self.actor, policy=row, **changes)

    def perform_delete(self, row: MergePolicy) -> None:
        merge_policies.delete_merge_policy(actor=self.actor, policy=row)
