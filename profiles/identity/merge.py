"""One view of a person from all that datasets say: merge policies."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from profiles.identity.fragment import Document, Fragment, leaves, put, source_time


class AttributeMerge(StrEnum):
    """Which of several values of an attribute wins."""

    TIMESTAMP = "timestampOrdered"
    DATASET = "dataSetPrecedence"


class GraphUse(StrEnum):
    """Whether a profile is all identities of a graph, or one identity alone."""

    NONE = "none"
    PRIVATE = "pdg"


@dataclass(frozen=True, slots=True)
class Policy:
    """How attributes are merged.

    With dataset precedence, datasets that `order` does not name say nothing.
    Rows of `source_timed` datasets count as of when their source changed them.
    """

    attributes: AttributeMerge = AttributeMerge.TIMESTAMP
    graph: GraphUse = GraphUse.PRIVATE
    order: Sequence[str] = ()
    source_timed: Collection[str] = ()


class Source(NamedTuple):
    """Where a value comes from: the dataset, the identity it was said of, and as of when."""

    dataset: str
    identity: int
    at: int


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged attributes, and the source of every one of them by dotted path."""

    document: Document
    sources: Mapping[str, Source]


def merge(fragments: Iterable[Fragment], policy: Policy = Policy()) -> Document:
    """Return the attributes of a person.

    Each value stands for itself: a dataset may win with the first name and lose
    with the last. Objects and maps are joined key by key, a list goes whole.
    """
    speaking = _speaking(fragments, policy)
    if not any(f.times for f in speaking):
        return _layered(sorted(speaking, key=lambda f: _strength(f, policy)))
    document: Document = {}
    for path, value, _ in _ordered_leaves(speaking, policy):
        put(document, path, value)
    return document


def merge_with_sources(fragments: Iterable[Fragment], policy: Policy = Policy()) -> Merged:
    """Merge, and tell for every value which dataset it comes from."""
    document: Document = {}
    last: dict[str, Source] = {}
    for path, value, source in _ordered_leaves(_speaking(fragments, policy), policy):
        put(document, path, value)
        last[".".join(path)] = source
    standing = {".".join(path) for path, _ in leaves(document)}
    return Merged(document, {path: s for path, s in last.items() if path in standing})


def _speaking(fragments: Iterable[Fragment], policy: Policy) -> list[Fragment]:
    if policy.attributes is AttributeMerge.TIMESTAMP:
        return list(fragments)
    named = set(policy.order)
    return [fragment for fragment in fragments if fragment.dataset in named]


Strength = tuple[int, int, str, int]


def _strength(fragment: Fragment, policy: Policy, dotted: str | None = None) -> Strength:
    """Say how strong a value is; the strongest is put last and stays."""
    at = fragment.at
    if fragment.dataset in policy.source_timed:
        at = source_time(fragment.document) or at
    elif dotted is not None:
        at = fragment.times.get(dotted, at)
    place = 0
    if policy.attributes is AttributeMerge.DATASET:
        place = -policy.order.index(fragment.dataset)
    return place, at, fragment.dataset, -fragment.identity


def _ordered_leaves(
    fragments: Sequence[Fragment], policy: Policy
) -> list[tuple[tuple[str, ...], Any, Source]]:
    weighed = []
    for fragment in fragments:
        for path, value in leaves(fragment.document):
            strength = _strength(fragment, policy, ".".join(path))
            source = Source(fragment.dataset, fragment.identity, strength[1])
            weighed.append((strength, path, value, source))
    weighed.sort(key=lambda leaf: leaf[0])
    return [(path, value, source) for _, path, value, source in weighed]


def _layered(fragments: Sequence[Fragment]) -> Document:
    """Lay documents over each other, the strongest last."""
    document: Document = {}
    for fragment in fragments:
        _lay(document, fragment.document)
    return document


def _lay(below: Document, above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict):
            if not value:
                continue
            under = below.get(key)
            if not isinstance(under, dict):
                under = below[key] = {}
            _lay(under, value)
        else:
            below[key] = value
