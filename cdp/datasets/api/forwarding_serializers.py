"""Shapes of forwarding rules."""

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.datasets.models import ForwardingRule


class ForwardingRuleOut(serializers.ModelSerializer[ForwardingRule]):
    """A rule that sends on what inlets take."""

    class Meta:
        model = ForwardingRule
        fields = [
            "id",
            "name",
            "inlet_ids",
            "event_types",
            "url",
            "enabled",
            "created_at",
            "updated_at",
        ]


class NewForwardingRuleOut(ForwardingRuleOut):
    """A new rule with its signing secret, shown only this once."""

    signing_secret = serializers.CharField(read_only=True)

    class Meta(ForwardingRuleOut.Meta):
        fields = [*ForwardingRuleOut.Meta.fields, "signing_secret"]


class ForwardingRulePatch(StrictSerializer):
    """What can be changed of a forwarding rule."""

    name = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=2_000)
    inlet_ids = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=100,
        help_text="Empty: all inlets.",
    )
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=100,
        help_text="Empty: every record.",
    )
    enabled = serializers.BooleanField(required=False)
