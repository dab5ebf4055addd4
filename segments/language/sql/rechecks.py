"""When the memberships of each profile can next change by themselves, as one statement.

The same tables of changes as in `next_change.py`. Only events near the edge of a window
matter, so it reads little: those that pass in or out before the horizon.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

from segments.language.ast import Condition, Field
from segments.language.clock import Clock, first_day_from, start_of_day, to_local
from segments.language.flips import OPEN_END, OPEN_START, Flip
from segments.language.scopes import PROFILE, Bound, Scope
from segments.language.sql.expressions import Sql
from segments.language.sql.frames import Frame, ItemFrame
from segments.language.sql.passes import Pass
from segments.language.sql.scan import ScanWriter, Statement, Stored, nobody
from segments.language.timing import Arriving, Moving, Timed, Turning, timed_parts
from segments.language.vocabulary import EVENT_TIME, Vocabulary
from segments.language.walk import Node, walk

NEVER = OPEN_END
HAPPENS = Field(EVENT_TIME, "event")


def next_changes_scan(
    rules: Sequence[Condition],
    words: Vocabulary,
    clock: Clock,
    horizon: int,
    stored: Stored = nobody,
) -> Statement | None:
    """Return a statement with a row for each profile that changes by the horizon: its id, and when.

    None if nothing can change for anybody.
    """
    writer = RecheckWriter(words, clock, stored)
    if not writer.add_changes(rules, horizon):
        return None
    text = f"""SELECT profile_id, at FROM (
  SELECT profile_id, {writer.earliest()} AS at FROM ({writer.answered(None)})
) WHERE at <= {horizon}"""
    return Statement(text, writer.parameters.values)


class RecheckWriter(ScanWriter):
    """Writes the moments at which timed parts change: of profiles, and folded of events."""

    def __init__(self, words: Vocabulary, clock: Clock, stored: Stored) -> None:
        super().__init__(words, clock, stored)
        self.moments: list[list[str]] = [[] for _ in self.passes]
        self.of_profiles: list[str] = []
        # One reading serves both what has happened and what will.
        for each in self.passes:
            each.ahead = True

    def add_changes(self, rules: Sequence[Condition], horizon: int) -> bool:
        """Take in what of the rules changes by the horizon; tell whether there is anything."""
        timed = [
            part for rule in rules for part in timed_parts(rule, self.words, self.clock, horizon)
        ]
        for part in dict.fromkeys(timed):
            self._add(part)
        return bool(timed)

    def earliest(self) -> str:
        """Return the earliest moment as seen from outside, `NEVER` without one."""
        folded = [
            f"ifNull({home.carry(home.fold(f'min(toNullable({_least(moments)}))'))}, {NEVER})"
            for home, moments in zip(self.passes, self.moments, strict=True)
            if moments
        ]
        return _least([*dict.fromkeys(self.of_profiles), *folded])

    def _add(self, timed: Timed) -> None:
        if not timed.scope.in_event or _names_profile_only(timed.what, self.words, timed.scope):
            scope = PROFILE if timed.scope.in_event else timed.scope
            self.of_profiles.append(self._moment(timed.what, scope, self.profile))
            return
        beside = int(_names_profile(timed.what, self.words, timed.scope))
        home = self.passes[beside]
        self._cover(home, timed)
        moment = self._moment(timed.what, timed.scope, home.frame(ahead=True))
        if timed.guard is not None:
            guard = self.condition(timed.guard, home.frame(ahead=True))
            moment = f"if({guard}, {moment}, {NEVER})"
        self.moments[beside].append(moment)

    def _cover(self, home: Pass, timed: Timed) -> None:
        """Have the pass read the events that pass an edge, or all where another time counts."""
        what = timed.what
        if isinstance(what, Arriving) or (isinstance(what, Moving) and what.operand == HAPPENS):
            for flip in what.flips:
                first = None if flip.first <= OPEN_START else flip.first
                last = None if flip.last >= OPEN_END else flip.last
                home.covers_times(timed.guard, first, last)
        else:
            home.covers(timed.guard)

    def _moment(self, what: Moving | Turning | Arriving, scope: Scope, root: Frame) -> str:
        """Return the earliest moment for one profile or event, over all its items."""
        frames = list(self._frames(scope, root))
        inner = frames[-1] if frames else root
        match what:
            case Arriving(flips):
                moment = _flipped(flips, self.value(HAPPENS, inner), self.clock)
            case Moving(operand, flips):
                moment = _flipped(flips, self.value(operand, inner), self.clock)
            case Turning(test, instants):
                moment = self._turned(test, instants, inner)
        for frame in reversed(frames):
            moment = _earliest(frame.over("arrayMap", f"toInt64({moment})"))
        return moment

    def _frames(self, scope: Scope, root: Frame) -> Iterator[ItemFrame]:
        """Yield the frames of the arrays that are opened, outermost first."""
        parent = root
        for opened, path in enumerate(scope.arrays):
            known = self.words.find(scope.base, path)
            if known is None:
                raise LookupError(f"No array {path!r}: the rule was not checked.")
            self.levels += 1
            frame = ItemFrame(parent, Bound(scope.base, path, known, opened), self.levels)
            yield frame
            parent = frame

    def _turned(self, test: Condition, instants: Sequence[int], frame: Frame) -> str:
        now = self.condition(test, frame)
        branches = []
        for at in instants:
            with self._at(at):
                branches.append(f"{self.condition(test, frame)} != {now}, {at}")
        return f"multiIf({', '.join(branches)}, {NEVER})"

    @contextmanager
    def _at(self, instant: int) -> Iterator[None]:
        """Write as seen from another instant."""
        now, self.clock = self.clock, self.clock.at(instant)
        yield
        self.clock = now


def _flipped(flips: Sequence[Flip], value: Sql, clock: Clock) -> str:
    """Return when the answer for a time changes, as SQL; the earliest of many."""
    if value.depth:
        one = Sql("w", value.kind)
        return _earliest(f"arrayMap(w -> {_flipped(flips, one, clock)}, {value.flat().text})")
    branches = _day_branches if value.kind == "day" else _time_branches
    tests = [branch for flip in flips for branch in branches(flip, value.text, clock)]
    return f"multiIf({', '.join(tests)}, toInt64({NEVER}))" if tests else str(NEVER)


def _time_branches(flip: Flip, text: str, clock: Clock) -> Iterator[str]:
    at = f"toInt64({flip.at})" if flip.at is not None else f"toInt64({text} + ({flip.offset}))"
    yield f"{text} >= ({flip.first}) AND {text} <= ({flip.last}), {at}"


def _day_branches(flip: Flip, text: str, clock: Clock) -> Iterator[str]:
    """Yield the branches for days, which stand for their first instants."""
    if flip.at is not None:
        tests = []
        if flip.first > OPEN_START:
            tests.append(f"{text} >= '{first_day_from(flip.first, clock.zone).isoformat()}'")
        if flip.last < OPEN_END:
            tests.append(f"{text} < '{first_day_from(flip.last + 1, clock.zone).isoformat()}'")
        yield f"{' AND '.join(tests) or f'isNotNull({text})'}, toInt64({flip.at})"
        return
    for day in _days(flip.first, flip.last, clock):
        yield f"{text} = '{day.isoformat()}', toInt64({flip.of(start_of_day(day, clock.zone))})"


def _days(first: int, last: int, clock: Clock) -> Iterator[date]:
    """Yield the days that begin from one instant to another; these are never far apart."""
    day = to_local(first, clock.zone).date()
    while start_of_day(day, clock.zone) <= last:
        if start_of_day(day, clock.zone) >= first:
            yield day
        day += timedelta(days=1)


def _earliest(moments: str) -> str:
    return f"arrayMin(arrayPushFront({moments}, toInt64({NEVER})))"


def _least(moments: Sequence[str]) -> str:
    return f"least({', '.join([*moments, f'toInt64({NEVER})'])})"


def _fields(what: Moving | Turning | Arriving, words: Vocabulary, scope: Scope) -> set[str]:
    node: Node = HAPPENS
    if isinstance(what, Moving):
        node = what.operand
    elif isinstance(what, Turning):
        node = what.test
    visits = walk(node, words, scope)
    return {visit.node.of for visit in visits if isinstance(visit.node, Field)}


def _names_profile(what: Moving | Turning | Arriving, words: Vocabulary, scope: Scope) -> bool:
    return "profile" in _fields(what, words, scope)


def _names_profile_only(what: Moving | Turning | Arriving, words: Vocabulary, scope: Scope) -> bool:
    return _fields(what, words, scope) == {"profile"}
