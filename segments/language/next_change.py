"""When the answer of a rule can next change by itself, for one profile in hand.

Until that moment the matcher's answer stays what it is, if no news comes. It may be
early: a window that ends for one of two purchases leaves the other in it.
"""

from collections.abc import Iterator
from datetime import date

from segments.language.ast import Condition
from segments.language.clock import Clock, start_of_day
from segments.language.facts import Facts, Here, items_of
from segments.language.flips import first_flip
from segments.language.match import Matcher
from segments.language.scopes import PROFILE, Scope
from segments.language.timing import Arriving, Moving, Timed, Turning, timed_parts
from segments.language.vocabulary import Vocabulary


def next_change(
    rule: Condition, facts: Facts, clock: Clock, words: Vocabulary, horizon: int
) -> int | None:
    """Return the earliest instant after the clock's at which the answer can differ.

    None if there is none up to the horizon.
    """
    matcher = Matcher(facts, clock, words)
    found = [
        at
        for timed in timed_parts(rule, words, clock, horizon)
        for at in _changes(timed, matcher, facts)
    ]
    return min(found, default=None)


def _changes(timed: Timed, matcher: Matcher, facts: Facts) -> Iterator[int]:
    for here in _places(timed, matcher, facts):
        match timed.what:
            case Arriving(flips):
                at = first_flip(flips, here.event.at if here.event else 0)
                yield from [] if at is None else [at]
            case Moving(operand, flips):
                for value in matcher.values(operand, here):
                    at = first_flip(flips, _instant(value, matcher.clock))
                    yield from [] if at is None else [at]
            case Turning(test, instants):
                yield from _turns(test, instants, here, matcher)


def _turns(
    test: Condition, instants: tuple[int, ...], here: Here, matcher: Matcher
) -> Iterator[int]:
    now = matcher.holds(test, here)
    for at in instants:
        later = Matcher(matcher.facts, matcher.clock.at(at), matcher.words)
        if later.holds(test, here) != now:
            yield at
            return


def _places(timed: Timed, matcher: Matcher, facts: Facts) -> Iterator[Here]:
    """Yield every profile, event or item that the timed part may be asked of."""
    scope, root = timed.scope, Here(PROFILE, facts.profile)
    roots = [root]
    if scope.in_event:
        roots = [
            root.at_event(event)
            for event in facts.events
            if timed.guard is None or matcher.holds(timed.guard, root.at_event(event))
        ]
    for start in roots:
        yield from _items(scope, start) if scope.level == "item" else [start]


def _items(scope: Scope, start: Here) -> Iterator[Here]:
    of = "profile" if scope.base == "profile" else "event"
    for item in items_of(scope.array, of, start):
        yield start.at_item(scope, item)


def _instant(value: int | str, clock: Clock) -> int:
    if isinstance(value, int):
        return value
    try:
        return start_of_day(date.fromisoformat(value), clock.zone)
    except ValueError:  # no day of any calendar
        return 0
