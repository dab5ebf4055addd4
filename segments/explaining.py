"""What the rules of segments look at: for people who ask why, and for governance."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from cdp.tenancy.models import Sandbox
from segments.compositions.names import is_of_the_store, read_ranked
from segments.enums import SegmentOrigin
from segments.language.explain import Explanation, Possibility, explain, fields_used
from segments.language.print import print_rule
from segments.language.tree_reading import read_condition
from segments.language.vocabulary import Base, Vocabulary
from segments.models import Segment
from segments.selectors import list_segments
from segments.vocabulary import vocabulary

_RANKED: Final = Possibility(
    "streaming",
    False,
    "It keeps the first so many: who comes in is found when everybody is evaluated; whoever no "
    "longer belongs leaves at once.",
)
_UPLOADED: Final = (
    Possibility(
        "streaming",
        True,
        "Its rows say who is in; a person is found among them as soon as she is known.",
    ),
    Possibility("batch", True, "All rows are looked through when a file has come or runs out."),
    Possibility("edge", False, "No rule says who is in: only what was stored is known."),
)


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field that the rule of `segment` looks at: of people, of their events or of `entity`.

    The base `segment` stands for the labels that the segment itself carries.
    """

    segment: Segment
    base: Base | Literal["segment"]
    path: str
    labels: frozenset[str]
    entity: str = ""


def explained(segment: Segment) -> dict[str, Any]:
    """Return the explanation of a segment: of its rule, its composition or its rows."""
    rule = read_condition(segment.rule)
    said = explain(rule, vocabulary(segment.sandbox))
    return {
        "text": print_rule(rule) if segment.origin == SegmentOrigin.RULE else "",
        "fields_used": [{**asdict(used), "labels": sorted(used.labels)} for used in said.fields],
        "segments": segment.references,
        "methods": [asdict(possibility) for possibility in _methods(segment, said)],
        "cost": {**asdict(said.cost), "weight": said.cost.weight},
    }


def _methods(segment: Segment, said: Explanation) -> tuple[Possibility, ...]:
    if segment.origin == SegmentOrigin.UPLOAD:
        return _UPLOADED
    methods = said.methods
    of_the_store = [name for name in said.segments if is_of_the_store(name)]
    if any(read_ranked(name) is not None for name in of_the_store):
        methods = tuple(_RANKED if each.method == "streaming" else each for each in methods)
    if of_the_store:
        reason = "It takes a share of the people or the first of them, which no request tells."
        methods = tuple(
            Possibility("edge", False, reason) if each.method == "edge" else each
            for each in methods
        )
    return methods


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
    for used in fields_used(read_condition(segment.rule), words):
        yield RuleField(segment, used.base, used.path, used.labels, used.entity)
    if segment.labels:
        yield RuleField(segment, "segment", segment.name, frozenset(segment.labels))
