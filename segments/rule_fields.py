"""Which fields the rules of segments look at, for governance and for people who ask why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cdp.tenancy.models import Sandbox
from segments.language.ast import Field
from segments.language.scopes import bind
from segments.language.tree import read_tree
from segments.language.vocabulary import Base, Vocabulary
from segments.language.walk import walk
from segments.models import Segment
from segments.selectors import list_segments
from segments.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field that the rule of `segment` names: of people, of their events or of an entity.

    The base `segment` stands for the labels that the segment itself carries.
    """

    segment: Segment
    base: Base | Literal["segment"]
    path: str
    labels: frozenset[str]


def rule_fields(sandbox: Sandbox, segment_ids: Iterable[str]) -> dict[str, list[RuleField]]:
    """Return the fields that decide who is in each segment, also over segments it asks for."""
    wanted = set(segment_ids)
    segments = _with_references(sandbox, wanted)
    words = vocabulary(sandbox)
    own = {key: list(_own_fields(segment, words)) for key, segment in segments.items()}
    return {
        key: [field for each in sorted(_reached(key, segments)) for field in own[each]]
        for key in wanted & segments.keys()
    }


def _with_references(sandbox: Sandbox, wanted: Iterable[str]) -> dict[str, Segment]:
    """Return segments with all that they rest on, one query a level."""
    found: dict[str, Segment] = {}
    missing = set(wanted)
    while missing:
        level = list_segments(sandbox).filter(pk__in=missing)
        found |= {segment.pk: segment for segment in level}
        missing = {key for segment in level for key in segment.references} - found.keys()
    return found


def _reached(start: str, segments: Mapping[str, Segment]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key not in seen and key in segments:
            seen.add(key)
            waiting += segments[key].references
    return seen


def _own_fields(segment: Segment, words: Vocabulary) -> Iterator[RuleField]:
    seen: dict[tuple[Base, str], frozenset[str]] = {}
    for visit in walk(read_tree(segment.rule), words):
        if isinstance(visit.node, Field):
            bound = bind(visit.node, visit.scope, words)
            if bound is not None:
                seen[bound.base, bound.path] = bound.known.labels
    for (base, path), labels in seen.items():
        yield RuleField(segment, base, path, labels)
    if segment.labels:
        yield RuleField(segment, "segment", segment.name, frozenset(segment.labels))
