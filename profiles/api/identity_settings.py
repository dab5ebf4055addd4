"""`identity-settings/`: the linking rules, and what they would do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from profiles.api.shapes import IdentityIn, IdentityOut
from profiles.identity.rules import Setting, make_rules
from profiles.identity.simulate import Sighting, Simulation, simulate
from profiles.models import IdentitySettings
from profiles.selectors.identities import identities_at
from profiles.selectors.rules import identity_settings, namespace_catalogue
from profiles.services.identity_settings import (
    check_linking_rules,
    current_settings,
    set_identity_settings,
)

MOST_RULES = 100
MOST_EVENTS = 1_000


class RuleField(StrictSerializer):
    """One namespace's place in the linking rules."""

    namespace = serializers.CharField(max_length=64)
    priority = serializers.IntegerField(min_value=1, help_text="1 ranks highest.")
    unique = serializers.BooleanField(
        required=False, default=False, help_text="At most one of it in a graph."
    )


class IdentitySettingsOut(serializers.ModelSerializer[IdentitySettings]):
    """The linking rules of the sandbox."""

    rules = RuleField(many=True)

    class Meta:
        model = IdentitySettings
        fields = ("rules", "version", "updated_at")


@example(
    {
        "rules": [
            {"namespace": "CRM", "unique": True, "priority": 1},
            {"namespace": "ECID", "priority": 2},
        ]
    }
)
class IdentitySettingsIn(StrictSerializer):
    """Linking rules: person ids rank above devices, devices above cookies."""

    rules = serializers.ListField(child=RuleField(), max_length=MOST_RULES, allow_empty=True)


class SightingIn(StrictSerializer):
    """An event of a simulation: identities that one record names."""

    timestamp = serializers.DateTimeField()
    identities = serializers.ListField(child=IdentityIn(), min_length=1, max_length=20)


@example(
    {
        "events": [
            {
                "timestamp": "2026-01-01T08:00:00Z",
                "identities": [
                    {"namespace": "Email", "value": "sarah@luma.com"},
                    {"namespace": "CRM", "value": "c-1"},
                ],
            },
        ]
    }
)
class SimulationIn(StrictSerializer):
    """What to simulate; without `rules` the sandbox's own are taken."""

    events = serializers.ListField(child=SightingIn(), min_length=1, max_length=MOST_EVENTS)
    rules = serializers.ListField(
        child=RuleField(), max_length=MOST_RULES, required=False, allow_empty=True
    )


class SimulatedLinkOut(serializers.Serializer[Any]):
    """A link of a simulation."""

    first = IdentityOut(source="a")
    second = IdentityOut(source="b")
    seen = serializers.DateTimeField()
    accepted = serializers.BooleanField(help_text="False if the rules refuse it.")


class SimulationOut(serializers.Serializer[Any]):
    """The graphs that these events alone would make, and what became of each link."""

    graphs = serializers.ListField(child=serializers.ListField(child=IdentityOut()))
    links = SimulatedLinkOut(many=True)


class IdentitySettingsViewSet(InputMixin, SandboxViewSet):
    """Which identifier ranks first, and which may occur once in a graph."""

    noun = "linking rules"
    permissions = {
        "retrieve": "view-identities",
        "simulate": "view-identities",
        "*": "manage-identities",
    }

    def get_input_class(self) -> type[StrictSerializer]:
        return SimulationIn if self.action == "simulate" else IdentitySettingsIn

    @extend_schema(responses=IdentitySettingsOut)
    def retrieve(self, request: Request) -> Response:
        """Read the linking rules of the sandbox."""
        return self._shown(current_settings(self.sandbox))

    @extend_schema(request=IdentitySettingsIn, responses=IdentitySettingsOut)
    def update(self, request: Request) -> Response:
        """Replace the linking rules; every stored graph is then judged by them anew."""
        return self._shown(
            set_identity_settings(
                actor=self.actor,
                sandbox=self.sandbox,
                settings=[Setting(**rule) for rule in self.checked()["rules"]],
                expected=_version(request.headers.get("If-Match", "*")),
            )
        )

    @extend_schema(request=SimulationIn, responses=SimulationOut)
    def simulate(self, request: Request) -> Response:
        """Show the graphs that events would make under rules; nothing is stored."""
        asked = self.checked()
        settings = identity_settings(self.sandbox)
        if "rules" in asked:
            settings = check_linking_rules(
                self.sandbox, [Setting(**rule) for rule in asked["rules"]]
            )
        rules = make_rules(namespace_catalogue(self.sandbox), settings)
        found = simulate(self._sightings(asked["events"]), rules)
        return Response(SimulationOut(_shown(found)).data)

    def _sightings(self, events: Sequence[dict[str, Any]]) -> list[Sighting]:
        given = [
            (f"events.{place}.identities.{number}", one["namespace"], one["value"])
            for place, event in enumerate(events)
            for number, one in enumerate(event["identities"])
        ]
        every = iter(identities_at(self.sandbox, given))
        return [
            Sighting(
                tuple(islice(every, len(event["identities"]))),
                round(event["timestamp"].timestamp() * 1000),
            )
            for event in events
        ]

    def _shown(self, row: IdentitySettings) -> Response:
        return Response(IdentitySettingsOut(row).data, headers={"ETag": f'"{row.version}"'})


def _shown(simulation: Simulation) -> dict[str, Any]:
    return {
        "graphs": simulation.graphs,
        "links": [
            {
                "a": link.a,
                "b": link.b,
                "seen": datetime.fromtimestamp(link.seen / 1000, UTC),
                "accepted": link.accepted,
            }
            for link in simulation.links
        ],
    }


def _version(tag: str) -> int | None:
    """Return the version that a caller has read; None for any, 0 for what was never a tag of ours."""
    digits = tag.strip('"')
    return None if tag == "*" else int(digits) if digits.isdecimal() else 0
