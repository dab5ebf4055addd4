"""Passes over the events: each reads them once and folds them by profile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from segments.language.ast import Condition
from segments.language.clock import Clock
from segments.language.scopes import PROFILE
from segments.language.sql.frames import BITS, Columns, EventFrame, TableFrame, in_bits
from segments.language.sql.layers import Layers
from segments.language.sql.parameters import Parameters
from segments.language.sql.reach import Reach, reach_of, reach_sql

OVERRIDES = """SELECT identity_id, profile_id FROM profile_overrides FINAL
      WHERE sandbox_id = {sandbox:UInt32}"""


@dataclass(frozen=True, slots=True)
class Touched:
    """The placeholders of the profiles looked at, and of all their identities."""

    profiles: str
    identities: str


@dataclass(slots=True)
class Pass:
    """One reading of the events and what is folded of them.

    `folds` are aggregates over the events of a profile, `steps` are expressions over
    those that build on each other, `leaves` are the tests that come out. A leaf is
    kept as "differs from what holds for a profile without events", so that such a
    profile, which has no row here, needs no special case. They come out as the bits of
    a few numbers: a join of as many columns costs more than all the rest. With
    `beside_profile` the events are read beside the attributes of the profile they
    belong to; with `ahead` those are read, too, that have not happened yet, and only
    `happened` leaves them out.
    """

    name: str
    clock: Clock
    beside_profile: bool
    ahead: bool = False
    events: Columns = field(init=False)
    profiles: Columns = field(init=False)
    folds: dict[str, str] = field(default_factory=dict)
    recent: dict[str, dict[int, str]] = field(default_factory=dict)
    steps: Layers = field(init=False)
    leaves: dict[str, int] = field(default_factory=dict)
    carried: set[str] = field(default_factory=set)
    reaches: list[Reach] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = Columns("event_field")
        self.profiles = Columns("beside_field")
        self.steps = Layers(f"{self.name}_step")

    def frame(self, *, ahead: bool = False) -> EventFrame:
        """Return the place of one event, which with `ahead` may not have happened yet."""
        profile = TableFrame(PROFILE, self.profiles)
        return EventFrame(PROFILE.events(), self.events, profile, ahead)

    def happened(self, chosen: str) -> str:
        """Return a choice of events without those that have not happened yet."""
        return f"({chosen} AND at <= {self.clock.now})" if self.ahead else chosen

    def covers(self, where: Condition | None) -> None:
        """Have the pass read the events that a choice of events may take."""
        self.reaches.append(reach_of(where, self.clock))

    def covers_times(self, where: Condition | None, first: int | None, last: int | None) -> None:
        """Have the pass read those of the events that lie between two times."""
        self.reaches.append(replace(reach_of(where, self.clock), since=first, until=last))

    def fold(self, aggregate: str) -> str:
        """Return the column of an aggregate over the events of a profile."""
        return self.folds.setdefault(aggregate, f"{self.name}_fold{len(self.folds)}")

    def since(self, chosen: str, start: int) -> str:
        """Return the column of whether one of the chosen events has happened since a moment."""
        starts = self.recent.setdefault(chosen, {})
        number = sum(map(len, self.recent.values()))
        return starts.setdefault(start, f"{self.name}_recent{number}")

    def step(self, expression: str) -> str:
        """Return the column of an expression over folds and earlier steps."""
        return self.steps.name(expression)

    def leaf(self, test: str, *, otherwise: bool) -> str:
        """Return the test as seen from outside, where `otherwise` holds without events."""
        place = self.leaves.setdefault(f"({test}) != {int(otherwise)}", len(self.leaves))
        bit = f"bitTest({self._bits(place // BITS)}, {place % BITS})"
        return f"(NOT {bit})" if otherwise else bit

    def carry(self, fold: str) -> str:
        """Return a fold as seen from outside."""
        self.carried.add(fold)
        return fold

    def columns(self) -> list[str]:
        """Return what is seen from outside."""
        numbers = range(-(-len(self.leaves) // BITS))
        return [*sorted(self.carried), *map(self._bits, numbers)]

    def sql(self, parameters: Parameters, touched: Touched | None) -> str:
        """Return the sub-query: a row for each profile that has such events."""
        folds = [f"{fold} AS {name}" for fold, name in self.folds.items()]
        folded = f"""SELECT {_listed(["owner", *folds, *self._happened()])}
      FROM ({self._owned(parameters, touched)})
      GROUP BY owner"""
        out = [f"owner AS {self.name}_owner", *sorted(self.carried), *self._packed()]
        return f"""SELECT {_listed(out)}
    FROM ({self.steps.over(folded)})"""

    def _happened(self) -> Iterator[str]:
        """Yield what has happened since when: the latest event answers for all moments at once.

        A single moment is asked of each event instead, for a bit is less to hold than a time.
        """
        for chosen, starts in self.recent.items():
            if len(starts) == 1:
                [(start, name)] = starts.items()
                yield f"groupBitOr({chosen} AND at >= {start}) AS {name}"
            else:
                latest = f"maxIf(at, {chosen})"
                yield from (f"{latest} >= {start} AS {name}" for start, name in starts.items())

    def _bits(self, number: int) -> str:
        return f"{self.name}_bits{number}"

    def _packed(self) -> Iterator[str]:
        """Yield the numbers whose bits are the leaves."""
        for number, tests in enumerate(in_bits(self.leaves)):
            bits = (f"({test}) * {1 << place}" for place, test in enumerate(tests))
            yield f"{' + '.join(bits)} AS {self._bits(number)}"

    def _owned(self, parameters: Parameters, touched: Touched | None) -> str:
        """Return the events that matter, each with its owner: the override or the stamp."""
        read = self._read(parameters, touched)
        names = [f"e.{name} AS {name}" for name in self.events.sources()]
        owned = f"""
        SELECT {_listed(["if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner", *names])}
        FROM ({read}) AS e
        LEFT ANY JOIN ({OVERRIDES}{_among("identity_id", touched.identities if touched else None)}) AS o
        ON o.identity_id = e.identity_id"""
        if self.beside_profile:
            names = [f"w.{name} AS {name}" for name in self.events.sources()]
            names += [f"p.{name} AS {name}" for name in self.profiles.names.values()]
            attributes = f"""SELECT profile_id{self.profiles.listed()}
        FROM profiles FINAL WHERE sandbox_id = {{sandbox:UInt32}}{
                _among("profile_id", touched.profiles if touched else None)
            }"""
            owned = f"""
        SELECT {_listed(["w.owner AS owner", *names])} FROM ({owned}) AS w
        INNER JOIN ({attributes}) AS p ON p.profile_id = w.owner"""
        if touched:
            owned = f"SELECT * FROM ({owned}) WHERE owner IN {touched.profiles}"
        return owned

    def _read(self, parameters: Parameters, touched: Touched | None) -> str:
        self.events.names["toUnixTimestamp64Milli(ts)"] = "at"
        by_now = f" AND ts <= fromUnixTimestamp64Milli({self.clock.now}, 'UTC')"
        happened = "" if self.ahead else by_now
        return f"""SELECT identity_id, profile_id{self.events.listed()}
          FROM events
          WHERE sandbox_id = {{sandbox:UInt32}}{
            _among("identity_id", touched.identities if touched else None)
        }{happened}
            AND {reach_sql(self.reaches, parameters)}"""


def _among(column: str, placeholder: str | None) -> str:
    return f" AND {column} IN {placeholder}" if placeholder else ""


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(columns)
