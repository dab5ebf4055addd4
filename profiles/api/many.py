"""Answers about many profiles at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.api.rendering import profile_json
from profiles.ids import profile_key
from profiles.selectors.identities import identity_of_text
from profiles.selectors.people import Person, find_profile_ids
from profiles.selectors.rules import namespace_catalogue
from profiles.selectors.shown import choose_policy, show
from profiles.selectors.sight import Sight


def bulk_json(
    sandbox: Sandbox,
    names: Sequence[str],
    people: Sequence[Person | None],
    asked: Mapping[str, Any],
    sight: Sight,
) -> list[dict[str, Any]]:
    """Render persons in the order asked, each with a status of its own."""
    policy = choose_policy(sandbox, asked.get("merge_policy"))
    known = [person for person in people if person is not None]
    namespaces = namespace_catalogue(sandbox)
    shown = iter(show(sandbox, known, policy, sight=sight, sources=asked["sources"]))
    return [
        {
            "asked": name,
            "status": 404 if person is None else 200,
            "profile": None if person is None else profile_json(next(shown), namespaces, sight),
        }
        for name, person in zip(names, people, strict=True)
    ]


def found_by_identity(sandbox: Sandbox, text: str, sight: Sight) -> list[dict[str, str]]:
    """Render the profile of an identity as a search result, if there is one."""
    identity = identity_of_text(sandbox, text)
    sight.require_namespaces([identity.namespace])
    found = find_profile_ids(sandbox, [identity])
    return [{"id": profile_key(number), "matched": text} for number in found.values()]
