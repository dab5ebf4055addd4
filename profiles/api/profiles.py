"""`profiles/`: who is known, by any identity."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.serializers import read_query
from cdp.clickhouse.errors import StoreUnavailable
from profiles.api.many import bulk_json, found_by_identity
from profiles.api.paging import (
    EVENT,
    SEARCH_ORDER,
    event_edge,
    event_word,
    next_link,
    read_edge,
)
from profiles.api.profile_links import ProfileLinksMixin
from profiles.api.queries import (
    EventsQuery,
    LookupQuery,
    ProfileQuery,
    SearchQuery,
)
from profiles.api.rendering import event_json, fragment_json, identities_json, profile_json
from profiles.api.shapes import (
    BulkGetIn,
    BulkGetOut,
    EventsOut,
    FragmentOut,
    ProfileIdentityOut,
    ProfileOut,
    SearchOut,
)
from profiles.ids import parse_profile_key, profile_key
from profiles.selectors.identities import identity_of_text, stored_identities
from profiles.selectors.people import (
    Person,
    get_person_by_identity,
    people_of_identities,
    people_of_ids,
)
from profiles.selectors.search import Found, search
from profiles.selectors.shown import choose_policy, require_known, show
from profiles.selectors.sight import EVENT_TYPE
from profiles.selectors.timeline import Asked, list_events, newest_events


class ProfilesViewSet(ProfileLinksMixin):
    """Persons: what is known of them, merged from all that datasets say."""

    noun = "profile"
    lookup_url_kwarg = "profile_id"
    permissions = {
        "cut_link": "manage-identities",
        "restore_link": "manage-identities",
        "*": "view-profiles",
    }
    pagination_class = None

    @extend_schema(
        summary="Look a person up by an identity", parameters=[LookupQuery], responses=ProfileOut
    )
    def list(self, request: Request) -> Response:
        """Look a person up by any identity.

        404 if nobody is known under it.
        """
        asked = self._asked(request, LookupQuery)
        identity = identity_of_text(self.sandbox, asked["identity"], namespaces=self.namespaces)
        self.sight.require_namespaces([identity.namespace])
        return self._profile(get_person_by_identity(self.sandbox, identity), asked)

    @extend_schema(parameters=[ProfileQuery], responses=ProfileOut)
    def retrieve(self, request: Request, profile_id: str) -> Response:
        """Look a person up by id; the id of a profile that was merged leads to the survivor."""
        asked = self._asked(request, ProfileQuery)
        return self._profile(self.person(profile_id), asked)

    @extend_schema(parameters=[EventsQuery], responses=EventsOut)
    @action(detail=True)
    def events(self, request: Request, profile_id: str) -> Response:
        """List what happened to a person, also before she was known."""
        asked = read_query(request, EventsQuery)
        if "event_type" in asked:
            self.sight.require_event_field(EVENT_TYPE)
        order, limit = (asked["ordering"], EVENT), asked["limit"]
        wanted = Asked(
            since=asked.get("since"),
            until=asked.get("until"),
            types=[asked["event_type"]] if "event_type" in asked else [],
            datasets=[asked["dataset"]] if "dataset" in asked else [],
            newest_first=asked["ordering"] == "-timestamp",
            limit=limit + 1,
            after=event_edge(read_edge(asked.get("cursor"), order)),
        )
        found = list_events(self.sandbox, self.person(profile_id), wanted)
        more, page = len(found) > limit, found[:limit]
        following = next_link(request, order, event_word(page[-1]), page[-1].at) if more else None
        return Response(
            {"results": [event_json(event, self.sight) for event in page], "next": following}
        )

    @extend_schema(responses=ProfileIdentityOut(many=True))
    @action(detail=True)
    def identities(self, request: Request, profile_id: str) -> Response:
        """List a person's identities, the oldest first."""
        return Response(identities_json(self.person(profile_id), self.namespaces, self.sight))

    @extend_schema(responses={200: {"type": "object"}})
    @action(detail=True)
    def segments(self, request: Request, profile_id: str) -> Response:
        """Show the segments that a person is in or has left."""
        return Response(self.person(profile_id).segments)

    @extend_schema(responses=FragmentOut(many=True))
    @action(detail=True)
    def fragments(self, request: Request, profile_id: str) -> Response:
        """List what each dataset says, before it is merged."""
        person = self.person(profile_id)
        return Response(
            [fragment_json(fragment, person, self.sight) for fragment in person.fragments]
        )

    @extend_schema(request=BulkGetIn, responses=BulkGetOut)
    @action(detail=False, methods=["post"], url_path="bulk-get", input_class=BulkGetIn)
    def bulk_get(self, request: Request) -> Response:
        """Look many persons up at once; each answer has its own status."""
        asked = self.checked()
        given = [(one["namespace"], one["value"]) for one in asked["identities"]]
        identities = stored_identities(self.sandbox, given) if given else []
        self.sight.require_namespaces(identity.namespace for identity in identities)
        numbers = [parse_profile_key(key) or 0 for key in asked["ids"]]
        people = people_of_identities(self.sandbox, identities)
        people += people_of_ids(self.sandbox, numbers)
        names = [f"{one.namespace}:{one.value}" for one in identities] + asked["ids"]
        return Response({"results": bulk_json(self.sandbox, names, people, asked, self.sight)})

    @extend_schema(parameters=[SearchQuery], responses=SearchOut)
    @action(detail=False)
    def search(self, request: Request) -> Response:
        """Find persons by what their name, address or number begins with, or by an identity."""
        asked = read_query(request, SearchQuery)
        if "identity" in asked:
            results = found_by_identity(self.sandbox, asked["identity"], self.sight)
            return Response({"results": results, "next": None})
        kind = next(kind for kind in ("name", "email", "phone") if kind in asked)
        self.sight.require_search(kind)
        edge, limit = read_edge(asked.get("cursor"), SEARCH_ORDER), asked["limit"]
        after = Found(edge[1], edge[0]) if edge else None
        found = search(self.sandbox, kind, asked[kind], limit=limit + 1, after=after)
        more, page = len(found) > limit, found[:limit]
        following = (
            next_link(request, SEARCH_ORDER, page[-1].term, page[-1].profile) if more else None
        )
        results = [{"id": profile_key(one.profile), "matched": one.term} for one in page]
        return Response({"results": results, "next": following})

    def _asked(self, request: Request, shape: type[ProfileQuery]) -> dict[str, Any]:
        asked = read_query(request, shape)
        if "fields" in asked:
            require_known(self.sandbox, asked["fields"])
        return asked

    def _profile(self, person: Person, asked: dict[str, Any]) -> Response:
        policy = choose_policy(self.sandbox, asked.get("merge_policy"))
        [shown] = show(self.sandbox, [person], policy, sight=self.sight, sources=asked["sources"])
        rendered = profile_json(shown, self.namespaces, self.sight, asked.get("fields"))
        if asked["events"]:
            rendered |= self._newest_events(shown.person, asked["events"])
        return Response(rendered)

    def _newest_events(self, person: Person, count: int) -> dict[str, Any]:
        try:
            found = newest_events(self.sandbox, person, count)
        except StoreUnavailable:  # the look-up goes on without them, and says so
            return {"events": None, "unavailable": ["events"]}
        return {"events": [event_json(event, self.sight) for event in found]}
