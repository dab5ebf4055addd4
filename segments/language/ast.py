"""What a rule is made of: frozen values, compared and hashed by content.

`Condition`s answer yes or no, `Operand`s have a value. Both are read in a scope:
of a profile, of one of its events, or of one item of an array. A field says
which of the three it belongs to.
"""

from dataclasses import dataclass
from typing import Literal

from segments.language.moments import FIXED, Moment, Unit, Window

Scope = Literal["profile", "event", "item"]
Scalar = str | bool | int | float
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
TextTest = Literal[
    "starts_with",
    "does_not_start_with",
    "ends_with",
    "does_not_end_with",
    "contains",
    "does_not_contain",
    "like",
    "matches",
]
SetTest = Literal["intersects", "subset_of", "superset_of"]
Function = Literal["count", "sum", "average", "min", "max", "distinct"]
CountTest = Literal[">=", "=", "<="]
Part = Literal["year", "month", "day"]

COMPARISONS: tuple[Comparison, ...] = ("=", "!=", "<", "<=", ">", ">=")
TEXT_TESTS: tuple[TextTest, ...] = (
    "starts_with",
    "does_not_start_with",
    "ends_with",
    "does_not_end_with",
    "contains",
    "does_not_contain",
    "like",
    "matches",
)
SET_TESTS: tuple[SetTest, ...] = ("intersects", "subset_of", "superset_of")
FUNCTIONS: tuple[Function, ...] = ("count", "sum", "average", "min", "max", "distinct")
COUNT_TESTS: tuple[CountTest, ...] = (">=", "=", "<=")
PARTS: tuple[Part, ...] = ("year", "month", "day")


# --- operands: what has a value ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the profile, of the event or of the item that is looked at.

    Within an item the path starts at the item. A path through an array has as
    many values as the array has items.
    """

    path: str
    of: Scope = "profile"


@dataclass(frozen=True, slots=True)
class Value:
    """A value written into the rule; a tuple is a list of them."""

    value: Scalar | tuple[Scalar, ...]

    def __eq__(self, other: object) -> bool:
        """Tell 1, 1.0 and True apart: they print differently."""
        return isinstance(other, Value) and _tagged(self.value) == _tagged(other.value)

    def __hash__(self) -> int:
        return hash(_tagged(self.value))


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment written into the rule: `now`, `today`, a date, or one shifted from those."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Events:
    """The events of the profile that satisfy a condition; all of them without one."""

    where: "Condition | None" = None


@dataclass(frozen=True, slots=True)
class Items:
    """The items of an array that satisfy a condition.

    With `events`, the array of every such event of the profile, taken together.
    """

    array: Field
    where: "Condition | None" = None
    events: Events | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value out of many: of the events or items themselves, or of a value of each."""

    function: Function
    over: Events | Items
    of: "Operand | None" = None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A calculation in exact micro-units."""

    operator: Literal["+", "-", "*", "/", "%"]
    left: "Operand"
    right: "Operand"


@dataclass(frozen=True, slots=True)
class DatePart:
    """The year, the month or the day of the month of a time, in the sandbox's zone."""

    part: Part
    of: "Operand"


@dataclass(frozen=True, slots=True)
class FirstNonNull:
    """The first of several values that is there."""

    options: "tuple[Operand, ...]"


Operand = Field | Value | Instant | Aggregate | Arithmetic | DatePart | FirstNonNull


# --- conditions: what is true or false ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """True or false, whoever is looked at."""

    value: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every one of several conditions."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of several conditions."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; around a container this is its exclusion."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values compared. A missing value makes it false, for `!=` too."""

    operator: Comparison
    left: Operand
    right: Operand
    case_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A text looked into."""

    test: TextTest
    left: Operand
    right: str
    case_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class In:
    """A value among several: a written list, or an array of the same scope."""

    operand: Operand
    values: Value | Field
    negated: bool = False
    case_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class Sets:
    """An array of plain values compared with a list."""

    test: SetTest
    left: Field
    right: Value | Field


@dataclass(frozen=True, slots=True)
class IsNull:
    """Nothing there; negated: something there."""

    operand: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Occurs:
    """A time that lies in a window; without the year: its month and day do."""

    operand: Operand
    window: Window
    ignore_year: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """The profile has at least one such event."""

    events: Events


@dataclass(frozen=True, slots=True)
class ItemsMatch:
    """Any item satisfies the condition, or all do (and there is at least one)."""

    quantifier: Literal["any", "all"]
    array: Field
    where: "Condition"


@dataclass(frozen=True, slots=True)
class Gap:
    """A fixed length of time: its unit is a week at most."""

    count: int
    unit: Unit

    @property
    def millis(self) -> int:
        """The length in milliseconds."""
        return self.count * FIXED[self.unit]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence: events of a kind, so many of them, so long after the one before.

    Fewer than one at least (`= 0`, `<= n`) makes it an exclusion: so few such
    events lie between its neighbours.
    """

    where: "Condition"
    test: CountTest = ">="
    count: int = 1
    within: Gap | None = None
    after: Gap | None = None

    @property
    def excludes(self) -> bool:
        """Whether the step forbids events instead of asking for them."""
        return self.test == "<=" or self.count == 0


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps that follow each other in time, each strictly after the one before."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class InSegment:
    """A member of another segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class Related:
    """The entity that a key points to satisfies a condition on its own fields."""

    key: Field
    entity: str
    where: "Condition"


Condition = (
    Constant
    | All
    | Any
    | Not
    | Compare
    | Text
    | In
    | Sets
    | IsNull
    | Occurs
    | Happened
    | ItemsMatch
    | Sequence
    | InSegment
    | Related
)


def _tagged(value: Scalar | tuple[Scalar, ...]) -> tuple[object, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return (type(value), *((type(item), item) for item in values))
