"""A sequence unrolled into links: one event each, and what may not lie between them.

A step that asks for n events is n links. Of the times a link can be at, the latest
one before the next link is always the best choice: every bound (a longest distance,
few events between) only gets easier. So a sequence is decided link by link, without
trying combinations.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segments.language import ast
from segments.language.ast import Condition, Step


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many events of a kind in a stretch; `reach` shortens one with an open end."""

    where: Condition
    most: int
    reach: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One event of the chain.

    It begins a step or goes on with one. `after` and `within` bound its distance
    from the last event of the step before; `limits` hold since the link before.
    """

    where: Condition
    begins: bool
    after: int = 1
    within: int | None = None
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The links of a sequence, and what may not lie behind the last one."""

    links: tuple[Link, ...]
    trailing: tuple[Limit, ...]

    def choices(self) -> set[Condition]:
        """Return the conditions whose events matter."""
        limits = [*self.trailing, *(limit for link in self.links for limit in link.limits)]
        return {link.where for link in self.links} | {limit.where for limit in limits}


# The latest place a link can be at by some time: its own time, and that of the step before.
Place = tuple[int, int]


def unroll(sequence: ast.Sequence) -> Chain:
    """Return the links of a sequence."""
    links: list[Link] = []
    waiting: list[Limit] = []  # what may not lie between the last link and the next
    for step in sequence.steps:
        if step.excludes:
            reach = step.within.millis if step.within else None
            waiting.append(Limit(step.where, step.count, reach))
            continue
        exactly = [Limit(step.where, 0)] if step.test == "=" else []
        for number in range(step.count):
            limits = (*waiting, *exactly)
            links.append(_link(step, begins=number == 0, limits=limits))
            waiting = []
        waiting = exactly
    return Chain(tuple(links), tuple(waiting))


def is_complete(chain: Chain, times_of: Callable[[Condition], Sequence[int]]) -> bool:
    """Return whether the chain can be laid through the events; times come in order."""
    places: list[Place] = []
    for number, link in enumerate(chain.links):
        places = _places(link, places, number == 0, times_of)
        if not places:
            return False
    return any(
        all(
            _count(times_of(limit.where), at + 1, _reach(at, limit)) <= limit.most
            for limit in chain.trailing
        )
        for at, _ in places
    )


def _link(step: Step, *, begins: bool, limits: tuple[Limit, ...]) -> Link:
    after = step.after.millis if step.after and begins else 1
    within = step.within.millis if step.within else None
    return Link(step.where, begins, after, within, limits)


def _places(
    link: Link, before: list[Place], is_first: bool, times_of: Callable[[Condition], Sequence[int]]
) -> list[Place]:
    found: list[Place] = []
    earlier = [at for at, _ in before]
    for at in sorted(set(times_of(link.where))):
        if is_first:
            if all(_few_before(limit, at, times_of(limit.where)) for limit in link.limits):
                found.append((at, at))
            continue
        position = bisect_right(earlier, at - link.after)
        if not position:
            continue
        last, step_before = before[position - 1]
        since = last if link.begins else step_before
        near = link.within is None or at - since <= link.within
        if near and all(
            _count(times_of(limit.where), last + 1, at) <= limit.most for limit in link.limits
        ):
            found.append((at, since))
    return found


def _few_before(limit: Limit, at: int, times: Sequence[int]) -> bool:
    start = times[0] if limit.reach is None and times else at - (limit.reach or 0)
    return _count(times, start, at) <= limit.most


def _reach(at: int, limit: Limit) -> int | None:
    return None if limit.reach is None else at + limit.reach + 1


def _count(times: Sequence[int], start: int, end: int | None) -> int:
    """Return how many times lie from `start` until just before `end`."""
    stop = len(times) if end is None else bisect_left(times, end)
    return max(stop - bisect_left(times, start), 0)
