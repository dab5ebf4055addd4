"""Shapes of forwarding rules."""

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.datasets.enums import Sink
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
            "kind",
            "url",
            "settings",
            "enabled",
            "created_at",
            "updated_at",
        ]


class NewForwardingRuleOut(ForwardingRuleOut):
    """A new rule; that of a webhook with its signing secret, shown only this once."""

    signing_secret = serializers.CharField(read_only=True, required=False)

    class Meta(ForwardingRuleOut.Meta):
        fields = [*ForwardingRuleOut.Meta.fields, "signing_secret"]


class ForwardingRulePatch(StrictSerializer):
    """What can be changed of a forwarding rule."""

    name = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=2_000, required=False, help_text="Of a webhook.")
    settings = serializers.DictField(
        required=False,
        help_text=(
            "Of a Kafka-compatible topic: bootstrap_servers, topic, tls, ca_certificate, mechanism, "
            "username, password, protocol_version. A change is merged, null takes a setting away."
        ),
    )
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


class ForwardingRuleIn(ForwardingRulePatch):
    """A new forwarding rule."""

    kind = serializers.ChoiceField(Sink.choices, default=Sink.WEBHOOK)
