"""`identities/lookup/` and `identity-graphs/`: who belongs together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin
from cdp.api.serializers import StrictSerializer, example, read_query
from cdp.api.views import SandboxViewSet
from profiles.api.queries import IdentityQuery
from profiles.api.shapes import MOST_AT_ONCE, IdentityIn, IdentityOut, LinkOut
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.selectors.graphs import get_identity
from profiles.selectors.identities import identity_of_text, stored_identities
from profiles.selectors.identity_graphs import IdentityGraph, graphs_of
from profiles.selectors.sight import sight_of


class FoundIdentityOut(IdentityOut):
    """An identity that has been seen, and whose it is."""

    profile_id = serializers.CharField()
    first_seen = serializers.DateTimeField()


@example({"identities": [{"namespace": "Email", "value": "sarah@luma.com"}], "links": True})
class GraphsIn(StrictSerializer):
    """Whose graphs to show."""

    identities = serializers.ListField(child=IdentityIn(), min_length=1, max_length=MOST_AT_ONCE)
    links = serializers.BooleanField(required=False, default=False)


@extend_schema_serializer(many=False)  # also where a collection's GET shows one
class GraphOut(serializers.Serializer[Any]):
    """A graph: the identities of one person."""

    asked = IdentityOut()
    profile_id = serializers.CharField(allow_null=True, help_text="Null if nobody is known.")
    members = IdentityOut(many=True)
    links = LinkOut(many=True)


class GraphsOut(serializers.Serializer[Any]):
    """Graphs in the order asked."""

    results = GraphOut(many=True)


class IdentitiesViewSet(SandboxViewSet):
    """Identities that have been seen."""

    noun = "identity"
    permissions = {"*": "view-identities"}

    @extend_schema(parameters=[IdentityQuery], responses=FoundIdentityOut)
    @action(detail=False)
    def lookup(self, request: Request) -> Response:
        """Tell whether an identity has been seen, and whose it is."""
        asked = read_query(request, IdentityQuery)
        identity = identity_of_text(self.sandbox, asked["identity"])
        sight_of(self.sandbox, self.actor).require_namespaces([identity.namespace])
        row = get_identity(self.sandbox, identity)
        return Response(
            {
                "namespace": row.namespace,
                "value": row.value,
                "profile_id": profile_key(row.profile_id),
                "first_seen": row.created_at,
            }
        )


class IdentityGraphsViewSet(InputMixin, SandboxViewSet):
    """Graphs of identities."""

    noun = "identity graph"
    permissions = {"*": "view-identities"}
    input_class = GraphsIn

    @extend_schema(
        summary="Show the graph of an identity", parameters=[IdentityQuery], responses=GraphOut
    )
    def list(self, request: Request) -> Response:
        """Show the graph of an identity with its links: who belongs together, and since when."""
        asked = read_query(request, IdentityQuery)
        identity = identity_of_text(self.sandbox, asked["identity"])
        [graph] = self._graphs([identity], links=True)
        return Response(GraphOut(graph).data)

    @extend_schema(request=GraphsIn, responses=GraphsOut)
    @action(detail=False, methods=["post"], url_path="bulk-get")
    def bulk_get(self, request: Request) -> Response:
        """Show the graphs of many identities."""
        asked = self.checked()
        given = [(one["namespace"], one["value"]) for one in asked["identities"]]
        identities = stored_identities(self.sandbox, given)
        found = self._graphs(identities, links=asked["links"])
        return Response({"results": GraphOut(found, many=True).data})

    def _graphs(self, identities: Sequence[Identity], *, links: bool) -> Sequence[IdentityGraph]:
        sight = sight_of(self.sandbox, self.actor)
        sight.require_namespaces(identity.namespace for identity in identities)
        return [
            replace(
                graph,
                members=[one for one in graph.members if sight.sees_identities([one])],
                links=[
                    one for one in graph.links if sight.sees_identities([one.first, one.second])
                ],
            )
            for graph in graphs_of(self.sandbox, identities, links=links)
        ]
