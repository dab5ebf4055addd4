"""Forwarding rules over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.datasets import selectors
from cdp.datasets.api.forwarding_serializers import (
    ForwardingRuleIn,
    ForwardingRuleOut,
    ForwardingRulePatch,
    NewForwardingRuleOut,
)
from cdp.datasets.models import ForwardingRule
from cdp.datasets.services import forwarding_rules


class ForwardingRuleViewSet(ListMixin, RetrieveMixin, PatchMixin, DeleteMixin, SandboxViewSet):
    """Sending on what inlets take, to a webhook or to a Kafka-compatible topic."""

    noun = "forwarding rule"
    permissions = {
        "list": "view-datasets",
        "retrieve": "view-datasets",
        "*": "manage-datasets",
    }
    serializer_class = ForwardingRuleOut
    filterset_fields = ("name", "kind", "enabled")

    def get_queryset(self) -> QuerySet[ForwardingRule]:
        return selectors.list_forwarding_rules(self.sandbox)

    def get_input_class(self) -> Any:
        return ForwardingRuleIn if self.action == "create" else ForwardingRulePatch

    @extend_schema(request=ForwardingRuleIn, responses={201: NewForwardingRuleOut})
    def create(self, request: Request) -> Response:
        """Make a forwarding rule.

        For a webhook the answer holds the secret by which the receiver checks signatures
        (Standard Webhooks); it is shown only this once. `webhook-id` stays the same when a
        message is sent again. A Kafka-compatible topic gets each record as a CloudEvent
        in binary form, keyed by the person, in order; `ce_id` stays the same when one is
        sent again.
        """
        rule, secret = forwarding_rules.create_forwarding_rule(
            actor=self.actor, sandbox=self.sandbox, **self.checked()
        )
        body = {**ForwardingRuleOut(rule).data, **({"signing_secret": secret} if secret else {})}
        headers = {"Location": f"{request.path}{rule.pk}/", "ETag": self.etag(rule)}
        return Response(body, status=201, headers=headers)

    def perform_patch(self, row: ForwardingRule, changes: dict[str, Any]) -> ForwardingRule:
        return forwarding_rules.change_forwarding_rule(actor=self.actor, rule=row, **changes)

    def perform_delete(self, row: ForwardingRule) -> None:
        forwarding_rules.delete_forwarding_rule(actor=self.actor, rule=row)
