"""A profile as it is shown: merged attributes, where they come from, and what others add."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cdp.api.registries import profile_facets
from cdp.errors import FieldError, Invalid
from cdp.schemas.selectors import PROFILE_CLASS, union_fields
from cdp.tenancy.models import Sandbox
from profiles.attributes import unknown_attributes
from profiles.computed.definition import ROOT
from profiles.computed.placing import with_computed
from profiles.identity.fragment import Document
from profiles.identity.merge import Policy, Source, merge, merge_with_sources
from profiles.identity.rules import Identity
from profiles.models import MergePolicy
from profiles.selectors.people import Person
from profiles.selectors.rules import find_default_policy, get_merge_policy, policy_of
from profiles.selectors.sight import EVERYTHING, Sight

BUILT_IN = "Newest value"
COMPUTED = "computed-attributes"


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """The merge policy of a look-up; without an id it is the one that every sandbox begins with."""

    id: str | None
    name: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class ShownSource:
    """Where a value comes from."""

    dataset_id: str
    identity: Identity
    at: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A person under one merge policy. `extras` are the parts that other apps add, by name."""

    person: Person
    policy: ChosenPolicy
    attributes: Document
    sources: Mapping[str, ShownSource] | None
    extras: Mapping[str, Any]


def choose_policy(sandbox: Sandbox, policy_id: str | None) -> ChosenPolicy:
    """Return the policy asked for, or the sandbox's default. Raises `PolicyUnknown`."""
    if policy_id is not None:
        return _chosen(get_merge_policy(sandbox, policy_id))
    row = find_default_policy(sandbox)
    return _chosen(row) if row else ChosenPolicy(None, BUILT_IN, Policy())


def require_known(sandbox: Sandbox, paths: Iterable[str]) -> None:
    """Raise `Invalid` if nobody can have an attribute at one of these paths."""
    errors = [
        FieldError(path="fields", code="field_unknown", detail=detail)
        for _, detail in unknown_attributes(union_fields(sandbox, PROFILE_CLASS), paths, keys=True)
    ]
    if errors:
        raise Invalid("Some fields are unknown; see `errors`.", errors=errors)


def show(
    sandbox: Sandbox,
    people: Sequence[Person],
    policy: ChosenPolicy,
    *,
    sight: Sight,
    sources: bool = False,
) -> list[Shown]:
    """Merge persons under a policy, and leave out what is not to be seen.

    What other apps add is asked once for all of them.
    """
    extras = _extras(sandbox, [person.id for person in people])
    tenant = sandbox.organization.tenant_namespace
    return [
        _seen(_shown(person.seen_by(policy.policy), policy, sources, extras, tenant), sight)
        for person in people
    ]


def attributes_of(sandbox: Sandbox, person: Person, policy: ChosenPolicy) -> Document:
    """Merge what is known of one person under a policy, with what is worked out of her events."""
    seen = person.seen_by(policy.policy)
    tenant = sandbox.organization.tenant_namespace
    return with_computed(merge(seen.fragments, policy.policy), seen.computed, tenant)


def only(document: Document, paths: Iterable[str]) -> Document:
    """Leave in a document only what stands at or below these dotted paths, in lists, too.

    >>> only({"a": {"b": 1, "c": 2}, "d": [{"e": 3, "f": 4}, {"f": 5}]}, ["a.b", "d.e", "x"])
    {'a': {'b': 1}, 'd': [{'e': 3}]}
    """
    tree: Document = {}
    # A path comes before those below it, which add nothing to it.
    for dotted in sorted(paths):
        node: Any = tree
        *above, last = dotted.split(".")
        for name in above:
            node = None if node is None else node.setdefault(name, {})
        if node is not None:
            node.setdefault(last, None)
    return _pruned(document, tree) or {}


def _pruned(value: Any, tree: Document | None) -> Any:
    """Leave in a value what a tree of names leads to; None if that is nothing."""
    if tree is None:
        return value
    if isinstance(value, list):
        kept = [_pruned(item, tree) for item in value]
        return [item for item in kept if item is not None] or None
    if not isinstance(value, dict):
        return None
    below = {name: _pruned(value.get(name), branch) for name, branch in tree.items()}
    return {name: one for name, one in below.items() if one is not None} or None


def _chosen(row: MergePolicy) -> ChosenPolicy:
    return ChosenPolicy(row.pk, row.name, policy_of(row))


def _extras(sandbox: Sandbox, profiles: list[int]) -> dict[int, dict[str, Any]]:
    extras: dict[int, dict[str, Any]] = {profile: {} for profile in profiles}
    for name, answer in profile_facets.entries().items():
        for profile, part in answer(sandbox, profiles).items():
            extras[profile][name] = part
    return extras


def _shown(
    person: Person,
    policy: ChosenPolicy,
    sources: bool,
    extras: Mapping[int, Mapping[str, Any]],
    tenant: str,
) -> Shown:
    if not sources:
        attributes = with_computed(merge(person.fragments, policy.policy), person.computed, tenant)
        return Shown(person, policy, attributes, None, extras[person.id])
    merged = merge_with_sources(person.fragments, policy.policy)
    names = {known.id: known.identity for known in person.identities}
    told = {path: _source(source, names) for path, source in merged.sources.items()}
    attributes = with_computed(merged.document, person.computed, tenant)
    return Shown(person, policy, attributes, told | _worked_out(person, tenant), extras[person.id])


def _seen(shown: Shown, sight: Sight) -> Shown:
    if sight is EVERYTHING:
        return shown
    sources = shown.sources and {
        path: source for path, source in shown.sources.items() if sight.sees_attribute(path)
    }
    return replace(shown, attributes=sight.of_person(shown.attributes), sources=sources)


def _worked_out(person: Person, tenant: str) -> dict[str, ShownSource]:
    """Say of computed values that they come from the events of the person as a whole."""
    if person.computed_at is None or not person.identities:
        return {}
    at = round(person.computed_at.timestamp() * 1000)
    oldest = person.identities[0].identity
    return {
        f"_{tenant}.{ROOT}.{name}": ShownSource(COMPUTED, oldest, at) for name in person.computed
    }


def _source(source: Source, names: Mapping[int, Identity]) -> ShownSource:
    return ShownSource(source.dataset, names[source.identity], source.at)
