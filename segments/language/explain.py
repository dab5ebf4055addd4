"""A rule explained: what it looks at, how it can be kept up to date, and what it costs.

Every rule is evaluated when something arrives and when time passes. The three
methods are the names that other platforms give to parts of this: `streaming` when news
of a person is all it needs, `batch` when it also rests on what no news tells of, `edge`
when a request that brings one event can be answered from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from segments.language.ast import (
    Aggregate,
    Condition,
    Events,
    Field,
    Happened,
    InSegment,
    Items,
    Related,
    Sequence,
)
from segments.language.scopes import bind
from segments.language.vocabulary import Base, Vocabulary
from segments.language.walk import Visit, walk

Method = Literal["streaming", "batch", "edge"]
METHODS: tuple[Method, ...] = ("streaming", "batch", "edge")


@dataclass(frozen=True, slots=True)
class UsedField:
    """A field that a rule looks at, with its labels; `entity` is the look-up entity it is of."""

    base: Base
    path: str
    labels: frozenset[str]
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Possibility:
    """Whether a method can keep a rule up to date, and why not."""

    method: Method
    possible: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one evaluation reads, in the terms of the scan.

    `choices` are the different choices of events, each of which the scan counts;
    `sequences` need the times of their events in order; `look_ups` read entities.
    """

    choices: int
    sequences: int
    look_ups: int

    @property
    def weight(self) -> int:
        """Return a number to compare rules by: one for each choice of events."""
        return self.choices + 4 * self.sequences + 2 * self.look_ups


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of a rule without evaluating it."""

    fields: tuple[UsedField, ...]
    segments: tuple[str, ...]
    methods: tuple[Possibility, ...]
    cost: Cost


def explain(rule: Condition, words: Vocabulary) -> Explanation:
    """Return what a rule looks at, how it can be evaluated, and what that costs."""
    visits = list(walk(rule, words))
    segments = {visit.node.segment for visit in visits if isinstance(visit.node, InSegment)}
    return Explanation(
        fields=tuple(fields_used(rule, words)),
        segments=tuple(sorted(segments)),
        methods=_methods(visits),
        cost=_cost(visits),
    )


def fields_used(rule: Condition, words: Vocabulary) -> list[UsedField]:
    """Return the fields that decide a rule, in order; the key of an entity is one of them."""
    used = {found for visit in walk(rule, words) for found in _fields(visit, words)}
    return sorted(used, key=lambda field: (field.base, field.entity, field.path))


def _fields(visit: Visit, words: Vocabulary) -> Iterator[UsedField]:
    match visit.node:
        case Field():
            bound = bind(visit.node, visit.scope, words)
            if bound is not None:
                yield UsedField(bound.base, bound.path, bound.known.labels, visit.scope.entity)
        case Related(_, name):
            entity = words.entity(name)
            if entity is not None:
                known = entity.fields[entity.key]
                yield UsedField("entity", entity.key, known.labels, entity.id)
        case _:
            return


def _methods(visits: list[Visit]) -> tuple[Possibility, ...]:
    look_ups = any(isinstance(visit.node, Related) for visit in visits)
    history = any(_needs_history(visit) for visit in visits)
    streaming = Possibility(
        "streaming",
        not look_ups,
        "It looks up entities, and a change of those is no news of a person."
        if look_ups
        else "News of a person, and time, are all it needs; its windows may be of any length.",
    )
    batch = Possibility("batch", True, "Every rule can be evaluated for everybody.")
    why_not = (
        "It looks up entities." if look_ups else "It counts or orders events; a request brings one."
    )
    edge = Possibility(
        "edge",
        not (look_ups or history),
        why_not if look_ups or history else "It asks for attributes, segments or a single event.",
    )
    return streaming, batch, edge


def _needs_history(visit: Visit) -> bool:
    match visit.node:
        case Sequence() | Aggregate(_, Events()) | Aggregate(_, Items(_, _, Events())):
            return True
        case _:
            return False


def _cost(visits: list[Visit]) -> Cost:
    choices: set[Condition | None] = set()
    sequences = look_ups = 0
    for visit in visits:
        match visit.node:
            case Happened(Events(where)) | Aggregate(_, Events(where)):
                choices.add(where)
            case Aggregate(_, Items(_, _, Events(where))):
                choices.add(where)
            case Sequence(steps):
                sequences += 1
                choices.update(step.where for step in steps)
            case Related():
                look_ups += 1
            case _:
                continue
    return Cost(len(choices), sequences, look_ups)
