"""The links of a profile: seeing why, cutting, restoring."""

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin
from cdp.api.serializers import read_query
from cdp.api.views import SandboxViewSet
from profiles.api.queries import ExplainQuery
from profiles.api.shapes import ExplanationOut, LinkIn, SplitOut
from profiles.errors import LinkUnknown, ProfileUnknown
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity
from profiles.ids import parse_profile_key, profile_key
from profiles.selectors.graphs import ShownLink, explain, get_identity, list_links
from profiles.selectors.identities import identity_of_text, stored_identity
from profiles.selectors.people import Person, get_person
from profiles.selectors.rules import namespace_catalogue
from profiles.selectors.sight import Sight, sight_of
from profiles.services.links import cut_link, restore_link


class ProfileLinksMixin(InputMixin, SandboxViewSet):
    """What can be seen of a profile's links, and done to them."""

    @cached_property
    def sight(self) -> Sight:
        """What the caller may see of people."""
        return sight_of(self.sandbox, self.actor)

    @cached_property
    def namespaces(self) -> NamespaceCatalogue:
        """The kinds of identity that the sandbox knows."""
        return namespace_catalogue(self.sandbox)

    def person(self, key: str) -> Person:
        """Return the person of a public id. Raises `ProfileUnknown`."""
        number = parse_profile_key(key)
        if number is None:
            raise ProfileUnknown(f"There is no profile '{key}'. Ids look like prf_12.")
        return get_person(self.sandbox, number)

    @extend_schema(parameters=[ExplainQuery], responses=ExplanationOut)
    @action(detail=True)
    def explain(self, request: Request, profile_id: str) -> Response:
        """Tell why two identities are one person: the chain of records that link them.

        Without two identities, list every link of the person's identities, the newest
        first, also those that do not join.
        """
        asked = read_query(request, ExplainQuery)
        person = self.person(profile_id)
        if not asked:
            every = list_links(self.sandbox, [known.id for known in person.identities])
            return self._explained(same_profile=True, links=every)
        first, second = (
            identity_of_text(self.sandbox, asked[end], path=end) for end in ("first", "second")
        )
        self.sight.require_namespaces([first.namespace, second.namespace])
        _check_end(person, first)
        found = explain(self.sandbox, first, second)
        return self._explained(same_profile=found.same_profile, links=found.links)

    @extend_schema(request=LinkIn, responses=SplitOut)
    @action(detail=True, methods=["post"], url_path="cut-link", input_class=LinkIn)
    def cut_link(self, request: Request, profile_id: str) -> Response:
        """Cut a link between two identities; it joins nothing until it is restored.

        Who parts gets the profile that was theirs before, and their events with it.
        """
        first, second = self._ends(profile_id)
        cut_link(actor=self.actor, sandbox=self.sandbox, first=first, second=second)
        return self._parted(first, second)

    @extend_schema(request=LinkIn, responses=SplitOut)
    @action(detail=True, methods=["post"], url_path="restore-link", input_class=LinkIn)
    def restore_link(self, request: Request, profile_id: str) -> Response:
        """Take back the cut of a link."""
        first, second = self._ends(profile_id)
        restore_link(actor=self.actor, sandbox=self.sandbox, first=first, second=second)
        return self._parted(first, second)

    def _explained(self, *, same_profile: bool, links: list[ShownLink]) -> Response:
        seen = [link for link in links if self.sight.sees_identities([link.first, link.second])]
        return Response(ExplanationOut({"same_profile": same_profile, "links": seen}).data)

    def _ends(self, profile_id: str) -> tuple[Identity, Identity]:
        person = self.person(profile_id)
        asked = self.checked()
        first, second = (
            stored_identity(self.sandbox, asked[end]["namespace"], asked[end]["value"], path=end)
            for end in ("first", "second")
        )
        self.sight.require_namespaces([first.namespace, second.namespace])
        _check_end(person, first)
        return first, second

    def _parted(self, first: Identity, second: Identity) -> Response:
        ends = (get_identity(self.sandbox, identity).profile_id for identity in (first, second))
        one, other = (profile_key(number) for number in ends)
        return Response({"first_profile": one, "second_profile": other})


def _check_end(person: Person, first: Identity) -> None:
    if first not in [known.identity for known in person.identities]:
        raise LinkUnknown(f"{first.namespace}:{first.value} is not of this profile.")
