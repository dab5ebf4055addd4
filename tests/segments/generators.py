"""Random rules and random people, small and full of collisions, from a seed.

Times lie on the edges of the windows that the rules ask for; texts, numbers and
types come from a handful, so that equal, missing and mixed values all occur.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from segments.language import ast
from segments.language.ast import (
    Aggregate,
    All,
    Arithmetic,
    Compare,
    Condition,
    Constant,
    DatePart,
    Events,
    Field,
    FirstNonNull,
    Gap,
    Happened,
    In,
    InSegment,
    Instant,
    IsNull,
    Items,
    ItemsMatch,
    Not,
    Occurs,
    Operand,
    Related,
    Sequence,
    Sets,
    Step,
    Text,
    Value,
)
from segments.language.clock import Clock, to_millis
from segments.language.facts import Event, Facts
from segments.language.moments import (
    Absolute,
    Anchor,
    Between,
    Calendar,
    Day,
    Distance,
    Moment,
    Shifted,
    Side,
    Window,
)
from segments.language.tree_windows import write_timestamp
from segments.language.vocabulary import Entity, Known, Vocabulary

DAY = 86_400_000
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
TEXTS = ["a", "b", "A", "ab", "", "ß", "ΑΣ", "a%b", "a_b", "x\ny", "a'b\\", "ñ"]
NUMBERS = [0.0, 0.1, 0.2, 0.3, 1.0, 2.5, -1.0, 250.0, 249.99, 83.33, 1e13, 0.0000004]
INTEGERS = [0, 1, 2, 3, -1, 250, 10**15]
TYPES = ["view", "cart", "buy"]
SKUS = ["s1", "s2", "subscription", "gone"]
PATTERNS = ["a", "^a.*b$", "x.y", "[ab]+", "ß|Σ", "^$"]


def _known(*fields: Known) -> dict[str, Known]:
    return {field.path: field for field in fields}


VOCABULARY = Vocabulary(
    profile=_known(
        Known("tier", "text"),
        Known("address", "object"),
        Known("address.city", "text"),
        Known("address.floor", "integer"),
        Known("age", "integer"),
        Known("score", "number"),
        Known("vip", "boolean"),
        Known("birth", "day"),
        Known("joined", "time"),
        Known("tags", "text", array=True),
        Known("marks", "number", array=True),
        Known("counts", "integer", array=True),
        Known("orders", "object", array=True),
        Known("orders.sku", "text", in_array=("orders",)),
        Known("orders.price", "number", in_array=("orders",)),
        Known("orders.at", "time", in_array=("orders",)),
        Known("orders.lines", "object", array=True, in_array=("orders",)),
        Known("orders.lines.qty", "integer", in_array=("orders", "orders.lines")),
        Known("extra", "object"),
        Known("extra.*", "text"),
    ),
    event=_known(
        Known("amount", "number"),
        Known("qty", "integer"),
        Known("ok", "boolean"),
        Known("channel", "text"),
        Known("due", "time"),
        Known("day", "day"),
        Known("items", "object", array=True),
        Known("items.sku", "text", in_array=("items",)),
        Known("items.price", "number", in_array=("items",)),
        Known("items.labels", "text", array=True, in_array=("items",)),
        Known("items.parts", "object", array=True, in_array=("items",)),
        Known("items.parts.n", "integer", in_array=("items", "items.parts")),
        Known("deep.pay", "object", array=True),
        Known("deep.pay.amount", "number", in_array=("deep.pay",)),
    ),
    entities={
        "sch_products": Entity(
            "sch_products",
            "Products",
            key="code.sku",
            datasets=("ds_products", "ds_more"),
            fields=_known(
                Known("code.sku", "text"),
                Known("category", "text"),
                Known("weight", "number"),
                Known("sizes", "text", array=True),
                Known("parts", "object", array=True),
                Known("parts.n", "integer", in_array=("parts",)),
            ),
            references=frozenset(
                {
                    ("profile", "tier"),
                    ("profile", "orders.sku"),
                    ("event", "channel"),
                    ("event", "items.sku"),
                }
            ),
        )
    },
)
SCALARS = {
    "profile": {
        "text": ["tier", "address.city", "extra.k1"],
        "number": ["score"],
        "integer": ["age", "address.floor"],
        "boolean": ["vip"],
        "day": ["birth"],
        "time": ["joined"],
    },
    "event": {
        "text": ["channel", "eventType"],
        "number": ["amount"],
        "integer": ["qty"],
        "boolean": ["ok"],
        "day": ["day"],
        "time": ["due", "timestamp"],
    },
}
MANY = {
    "profile": {
        "text": ["tags", "orders.sku"],
        "number": ["marks", "orders.price"],
        "integer": ["counts", "orders.lines.qty"],
        "time": ["orders.at"],
    },
    "event": {
        "text": ["items.sku", "items.labels"],
        "number": ["items.price", "deep.pay.amount"],
        "integer": ["items.parts.n"],
    },
}
ARRAYS = {
    "profile": {"orders": {"text": ["sku"], "number": ["price"], "time": ["at"]}},
    "event": {
        "items": {"text": ["sku"], "number": ["price"]},
        "deep.pay": {"number": ["amount"]},
    },
}


class World:
    """Everything random that one example needs, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        zone = ZoneInfo(self.random.choice(ZONES))
        self.clock = Clock(to_millis(self._moment_in_time(zone)), zone)
        self.edges = self._edges()
        self.entities = {sku: self._entity(sku) for sku in self.random.sample(SKUS[:3], 2)}

    def _moment_in_time(self, zone: ZoneInfo) -> datetime:
        """Return a moment, often a month's end, a leap day or the change of clocks."""
        pick = self.random.choice
        special = [
            datetime(2026, 5, 31, 12, tzinfo=zone),
            datetime(2024, 2, 29, 0, 0, 0, tzinfo=zone),
            datetime(2026, 2, 28, 23, 59, 59, 999_000, tzinfo=zone),
            datetime(2026, 1, 1, tzinfo=zone),
            datetime(2026, 3, 29, 2, 30, tzinfo=zone),
            datetime(2026, 10, 25, 2, 30, tzinfo=zone),
            datetime(2026, 11, 1, 1, 30, tzinfo=zone),
        ]
        at = pick([*special, datetime(2026, 7, 15, 12, 34, 56, 789_000, tzinfo=zone)])
        return at + timedelta(milliseconds=pick([0, 0, 1, -1, 3_600_000]))

    def _edges(self) -> list[int]:
        now = self.clock.now
        far = [0, 1, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 92 * DAY, 365 * DAY, 3_600_000]
        return [now - distance + near for distance in far for near in (-1, 0, 1)]

    # --- people ------------------------------------------------------------------------------

    def facts(self) -> Facts:
        """Return one person."""
        pick, maybe = self.random.choice, self.maybe
        profile = {
            **maybe("tier", lambda: pick(TEXTS)),
            **maybe("age", lambda: pick(INTEGERS)),
            **maybe("score", lambda: pick(NUMBERS)),
            **maybe("vip", lambda: pick([True, False])),
            **maybe("birth", self.day_text),
            **maybe("joined", self.time_text),
            **maybe("tags", lambda: self.several(lambda: pick(TEXTS))),
            **maybe("marks", lambda: self.several(lambda: pick(NUMBERS))),
            **maybe("counts", lambda: self.several(lambda: pick(INTEGERS))),
            **maybe("extra", lambda: {pick(["k1", "k2"]): pick(TEXTS)}),
            **maybe(
                "address",
                lambda: {
                    **maybe("city", lambda: pick(TEXTS)),
                    **maybe("floor", lambda: pick(INTEGERS)),
                },
            ),
            **maybe("orders", lambda: self.several(self._order)),
        }
        events = [self.event() for _ in range(pick([0, 1, 2, 4, 8]))]
        return Facts(profile, events, entities={"sch_products": self.entities})

    def event(self) -> Event:
        """Return one event, sometimes one that lies ahead."""
        pick, maybe = self.random.choice, self.maybe
        at = pick(self.edges) if self.random.random() < 0.8 else self.clock.now + pick([1, DAY])
        body = {
            **maybe("amount", lambda: pick(NUMBERS)),
            **maybe("qty", lambda: pick(INTEGERS)),
            **maybe("ok", lambda: pick([True, False])),
            **maybe("channel", lambda: pick(TEXTS)),
            **maybe("due", self.time_text),
            **maybe("day", self.day_text),
            **maybe("items", lambda: self.several(self._item)),
            **maybe("deep", lambda: {"pay": self.several(self._payment)}),
        }
        return Event(at, pick([*TYPES, ""]), pick(["e1", "e2"]), body)

    def maybe(self, name: str, make: Any) -> dict[str, Any]:
        """Return a field, or nothing."""
        return {name: make()} if self.random.random() < 0.7 else {}

    def several(self, make: Any) -> list[Any]:
        """Return a short list, sometimes an empty one."""
        return [make() for _ in range(self.random.choice([0, 1, 2, 3]))]

    def day_text(self) -> str:
        """Return a date as text."""
        now = datetime.fromtimestamp(self.random.choice(self.edges) / 1000, self.clock.zone)
        near = now.date() + timedelta(days=self.random.choice([-1, 0, 1]))
        return self.random.choice([near.isoformat(), "2000-02-29", "1985-12-31", "2026-03-01"])

    def time_text(self) -> str:
        """Return a time as text, in several ways of writing."""
        text = write_timestamp(self.random.choice(self.edges) + self.random.choice([0, 0, DAY]))
        return self.random.choice([text, text.replace("Z", "+00:00"), text.replace("Z", "499Z")])

    def _order(self) -> dict[str, Any]:
        pick, maybe = self.random.choice, self.maybe
        return {
            **maybe("sku", lambda: pick(SKUS)),
            **maybe("price", lambda: pick(NUMBERS)),
            **maybe("at", self.time_text),
            **maybe("lines", lambda: self.several(lambda: maybe("qty", lambda: pick(INTEGERS)))),
        }

    def _item(self) -> dict[str, Any]:
        pick, maybe = self.random.choice, self.maybe
        return {
            **maybe("sku", lambda: pick(SKUS)),
            **maybe("price", lambda: pick(NUMBERS)),
            **maybe("labels", lambda: self.several(lambda: pick(TEXTS))),
            **maybe("parts", lambda: self.several(lambda: maybe("n", lambda: pick(INTEGERS)))),
        }

    def _entity(self, sku: str) -> dict[str, Any]:
        pick, maybe = self.random.choice, self.maybe
        return {
            "code": {"sku": sku},
            **maybe("category", lambda: pick(TEXTS)),
            **maybe("weight", lambda: pick(NUMBERS)),
            **maybe("sizes", lambda: self.several(lambda: pick(TEXTS))),
            **maybe("parts", lambda: self.several(lambda: maybe("n", lambda: pick(INTEGERS)))),
        }

    def _payment(self) -> dict[str, Any]:
        return self.maybe("amount", lambda: self.random.choice(NUMBERS))

    # --- rules -------------------------------------------------------------------------------

    def rule(self) -> Condition:
        """Return one rule about profiles."""
        return self.condition("profile", 3)

    def condition(self, scope: str, depth: int, base: str = "", array: str = "") -> Condition:
        """Return a condition for a scope."""
        if depth and self.random.random() < 0.4:
            kind = self.random.choice(["all", "any", "not"])
            if kind == "not":
                return Not(self.condition(scope, depth - 1, base, array))
            children = [
                self.condition(scope, depth - 1, base, array)
                for _ in range(self.random.choice([2, 3]))
            ]
            return All(tuple(children)) if kind == "all" else ast.Any(tuple(children))
        if scope == "item":
            return self._item_test(base, array)
        choices = [self._compare, self._compare, self._text, self._in, self._null, self._occurs]
        choices += [self._items_match, self._array_aggregate, self._many, self._sets]
        choices += [self._related]
        if scope == "profile":
            choices += [self._happened, self._event_aggregate, self._event_aggregate] * 3
            choices += [self._sequence] * 2 + [self._constant, self._segment]
        else:
            choices += [self._against_profile] * 2
        return self.random.choice(choices)(scope)

    def field(self, scope: str, kind: str, of: str | None = None) -> Field:
        """Return a field with one value."""
        owner = of or scope
        return Field(self.random.choice(SCALARS[owner][kind]), owner)  # type: ignore[arg-type]

    def literal(self, kind: str) -> Any:
        """Return a written value."""
        pick = self.random.choice
        return {
            "text": lambda: pick([*TEXTS, *TYPES, *SKUS]),
            "number": lambda: pick([*NUMBERS, *INTEGERS]),
            "integer": lambda: pick([*INTEGERS, 2.5]),
            "boolean": lambda: pick([True, False]),
        }[kind]()

    def _compare(self, scope: str) -> Condition:
        pick = self.random.choice
        kind = pick(["text", "number", "integer", "boolean", "day", "time"])
        operator = pick(["=", "!="] if kind == "boolean" else list(ast.COMPARISONS))
        left: Operand = self.field(scope, kind)
        right: Operand
        if kind in ("day", "time"):
            right = pick([Instant(self.moment()), self.field(scope, kind)])
        else:
            right = pick([Value(self.literal(kind)), self.field(scope, kind)])
        if kind == "number":
            left, right = self._calculated(scope, left), self._calculated(scope, right)
        if kind in ("day", "time") and self.random.random() < 0.3:
            part = pick(list(ast.PARTS))
            left = DatePart(part, left)
            right = pick(
                [
                    DatePart(part, Instant(Anchor(pick(["now", "today"])))),
                    Value(pick([1, 2, 29, 2026])),
                ]
            )
        if self.random.random() < 0.2:
            left, right = right, left
        if isinstance(left, Instant) and isinstance(right, Instant):
            return Constant(True)
        sensitive = kind != "text" or self.random.random() < 0.5
        return Compare(operator, left, right, sensitive)

    def _calculated(self, scope: str, operand: Operand) -> Operand:
        chance = self.random.random()
        if chance < 0.2:
            operator = self.random.choice("+-*/%")
            other = self.random.choice(
                [Value(self.literal("number")), self.field(scope, "integer")]
            )
            return Arithmetic(operator, operand, other)  # type: ignore[arg-type]
        if chance < 0.3:
            return FirstNonNull((operand, self.field(scope, "integer"), Value(7)))
        return operand

    def _text(self, scope: str) -> Condition:
        test = self.random.choice(ast.TEXT_TESTS)
        part = self.random.choice(
            PATTERNS if test == "matches" else [*TEXTS, "%", "_b", "a%", "\\%"]
        )
        return Text(test, self.field(scope, "text"), part, self.random.random() < 0.5)

    def _in(self, scope: str) -> Condition:
        kind = self.random.choice(["text", "number", "integer"])
        if self.random.random() < 0.3:
            owner = self.random.choice(["profile", scope])
            lists = {"text": "tags", "number": "marks", "integer": "counts"}
            values: Any = Field(lists[kind], "profile") if owner == "profile" else None
        else:
            values = None
        if values is None:
            values = Value(tuple(self.literal(kind) for _ in range(3)))
        sensitive = kind != "text" or self.random.random() < 0.5
        return In(self.field(scope, kind), values, self.random.random() < 0.5, sensitive)

    def _null(self, scope: str) -> Condition:
        paths = {
            "profile": ["tier", "address", "orders", "orders.sku", "tags", "joined", "extra.k2"],
            "event": ["amount", "items", "items.parts", "items.parts.n", "day", "eventType"],
        }[scope]
        return IsNull(Field(self.random.choice(paths), scope), self.random.random() < 0.5)  # type: ignore[arg-type]

    def _occurs(self, scope: str) -> Condition:
        kind = self.random.choice(["time", "day"])
        return self.occurs(self.field(scope, kind))

    def occurs(self, operand: Operand) -> Occurs:
        """Return a test of a time with a random window."""
        window = self.window()
        bounded = not (
            (isinstance(window, Distance) and window.test in (">", ">="))
            or (isinstance(window, Side) and window.which != "on")
        )
        return Occurs(operand, window, bounded and self.random.random() < 0.2)

    def window(self) -> Window:
        """Return a window."""
        pick = self.random.choice
        unit = pick(["hour", "day", "day", "week", "month", "month", "quarter", "year"])
        match pick(["distance", "distance", "distance", "calendar", "between", "side"]):
            case "distance":
                test = pick(["<", "<=", "<=", "=", ">=", ">"])
                count = pick([0, 1, 2, 3, 7, 30])
                anchor: Moment = pick([Anchor("now")] * 4 + [Anchor("today"), self.moment()])
                return Distance(test, count, unit, pick(["before", "before", "after"]), anchor)
            case "calendar":
                return Calendar(pick(["last", "this", "next"]), unit)
            case "between":
                return Between(self.moment(), self.moment())
            case _:
                return Side(pick(["before", "after", "on"]), self.moment())

    def moment(self) -> Moment:
        """Return a moment."""
        pick = self.random.choice
        match pick(["anchor", "anchor", "absolute", "day", "shifted"]):
            case "anchor":
                return Anchor(pick(["now", "today", "yesterday", "tomorrow"]))
            case "absolute":
                return Absolute(pick(self.edges))
            case "day":
                return Day(date.fromisoformat(self.day_text()))
            case _:
                unit = pick(["hour", "day", "month", "year"])
                return Shifted(pick([1, 2, 7]), unit, pick(["before", "after"]), self.moment())

    def _item_test(self, base: str, array: str) -> Condition:
        fields = ARRAYS[base][array]
        kind = self.random.choice(list(fields))
        field = Field(self.random.choice(fields[kind]), "item")
        if kind == "time":
            return self.occurs(field)
        chance = self.random.random()
        if kind == "text" and chance < 0.2:
            return Related(field, "sch_products", self._entity_test())
        if chance < 0.3:
            owner = "profile" if base == "profile" else self.random.choice(["profile", "event"])
            return Compare("=", field, self.field(owner, kind))
        if chance < 0.4:
            return IsNull(field, self.random.random() < 0.5)
        return Compare(self.random.choice(ast.COMPARISONS), field, Value(self.literal(kind)))

    def _entity_test(self) -> Condition:
        pick = self.random.choice
        match pick(["category", "weight", "null", "sizes", "parts", "any", "not"]):
            case "category":
                return Compare(pick(["=", "!="]), Field("category", "item"), Value(pick(TEXTS)))
            case "weight":
                return Compare(pick([">", "<="]), Field("weight", "item"), Value(pick(NUMBERS)))
            case "null":
                path = pick(["category", "weight", "sizes", "parts"])
                return IsNull(Field(path, "item"), pick([True, False]))
            case "sizes":
                return Compare("=", Field("sizes", "item"), Value(pick(TEXTS)))
            case "parts":
                count = Aggregate(
                    pick(["sum", "max"]), Items(Field("parts", "item")), Field("n", "item")
                )
                return Compare(pick(["<", ">="]), count, Value(pick([0, 1, 250])))
            case "any":
                test = Compare(">", Field("n", "item"), Value(pick([0, 1])))
                return ItemsMatch(pick(["any", "all"]), Field("parts", "item"), test)
            case _:
                return Not(self._entity_test())

    def _items_match(self, scope: str) -> Condition:
        array = self.random.choice(list(ARRAYS[scope]))
        where = self.condition("item", 1, scope, array)
        return ItemsMatch(self.random.choice(["any", "all"]), Field(array, scope), where)  # type: ignore[arg-type]

    def _array_aggregate(self, scope: str) -> Condition:
        array = self.random.choice(list(ARRAYS[scope]))
        items = Items(Field(array, scope), self._maybe_where(scope, array))  # type: ignore[arg-type]
        return self._compared(self._measured(items, scope, array))

    def _maybe_where(self, base: str, array: str) -> Condition | None:
        return self.condition("item", 1, base, array) if self.random.random() < 0.5 else None

    def _measured(self, items: Items, base: str, array: str) -> Aggregate:
        fields = ARRAYS[base][array]
        kind = self.random.choice(list(fields))
        function = self.random.choice(
            ["count", "distinct"] if kind == "text" else list(ast.FUNCTIONS)
        )
        if kind == "time" and function in ("sum", "average"):
            function = "min"
        of = Field(self.random.choice(fields[kind]), "item")
        return Aggregate(function, items, None if function == "count" else of)

    def _compared(self, aggregate: Aggregate) -> Condition:
        of = aggregate.of
        is_time = (
            aggregate.function in ("min", "max")
            and isinstance(of, Field)
            and of.path
            in (
                "at",
                "timestamp",
                "due",
                "day",
                "orders.at",
            )
        )
        if is_time:
            return self.occurs(aggregate)
        operator = self.random.choice(ast.COMPARISONS)
        right: Operand = Value(self.random.choice([0, 1, 2, 0.3, 250, 250.0, 249.99, 83.33]))
        return Compare(operator, aggregate, right)

    def _many(self, scope: str) -> Condition:
        kind = self.random.choice(list(MANY[scope]))
        field = Field(self.random.choice(MANY[scope][kind]), scope)  # type: ignore[arg-type]
        if kind == "time":
            return self.occurs(field)
        if kind == "text" and self.random.random() < 0.3:
            return Text("starts_with", field, self.random.choice(TEXTS), self.random.random() < 0.5)
        operator = self.random.choice(ast.COMPARISONS)
        other: Operand = Value(self.literal(kind))
        if self.random.random() < 0.3:
            other = self.field(scope, kind)
        return (
            Compare(operator, field, other)
            if self.random.random() < 0.7
            else Compare(operator, other, field)
        )

    def _sets(self, scope: str) -> Condition:
        kind = self.random.choice(["text", "number", "integer"])
        field = Field({"text": "tags", "number": "marks", "integer": "counts"}[kind], "profile")
        values = tuple(self.literal(kind) for _ in range(2))
        return Sets(self.random.choice(ast.SET_TESTS), field, Value(values))

    def _related(self, scope: str) -> Condition:
        paths = {"profile": ["tier", "orders.sku"], "event": ["channel", "items.sku"]}[scope]
        return Related(Field(self.random.choice(paths), scope), "sch_products", self._entity_test())  # type: ignore[arg-type]

    def _against_profile(self, scope: str) -> Condition:
        kind = self.random.choice(["text", "number", "integer", "time"])
        operator = self.random.choice(ast.COMPARISONS)
        if kind == "time" and self.random.random() < 0.5:
            anchor = self.field("profile", "time")
            test = self.random.choice(["<", "<=", ">=", ">"])
            direction = self.random.choice(["before", "after"])
            return Occurs(self.field("event", "time"), Distance(test, 2, "day", direction, anchor))
        return Compare(operator, self.field(scope, kind), self.field("profile", kind))

    def _events(self) -> Events:
        chance = self.random.random()
        if chance < 0.1:
            return Events()
        named = Compare("=", Field("eventType", "event"), Value(self.random.choice(TYPES)))
        recent = Occurs(Field("timestamp", "event"), self.window())
        if chance < 0.3:
            return Events(named)
        if chance < 0.5:
            return Events(All((named, recent)))
        return Events(All((named, recent, self.condition("event", 1))))

    def _happened(self, scope: str) -> Condition:
        return Happened(self._events())

    def _event_aggregate(self, scope: str) -> Condition:
        events = self._events()
        pick = self.random.choice
        if self.random.random() < 0.4:
            array = pick(list(ARRAYS["event"]))
            items = Items(Field(array, "event"), self._maybe_where("event", array), events)
            return self._compared(self._measured(items, "event", array))
        function = pick(ast.FUNCTIONS)
        numeric = ["amount", "qty", "items.price", "deep.pay.amount", "items.parts.n"]
        paths = {
            "sum": numeric,
            "average": numeric,
            "min": [*numeric, "timestamp", "due", "day"],
            "max": [*numeric, "timestamp", "due", "day"],
        }.get(function, [*numeric, "channel", "items.sku", "due", "ok"])
        of: Operand | None = Field(pick(paths), "event")
        if function == "count" and self.random.random() < 0.7:
            of = None
        if function == "sum" and self.random.random() < 0.2:
            of = Arithmetic("*", Field("amount", "event"), Field("qty", "event"))
        aggregate = Aggregate(function, events, of)
        if function == "sum" and self.random.random() < 0.3:
            return Compare(pick(ast.COMPARISONS), aggregate, self.field("profile", "number"))
        return self._compared(aggregate)

    def _sequence(self, scope: str) -> Condition:
        steps = [self._step() for _ in range(self.random.choice([1, 2, 3]))]
        for _ in range(self.random.choice([0, 0, 1, 2])):
            steps.insert(self.random.randrange(len(steps) + 1), self._exclusion())
        asked = [number for number, step in enumerate(steps) if not step.excludes]
        first, last = asked[0], asked[-1]
        fitted = []
        for number, step in enumerate(steps):
            within, after = step.within, step.after
            if step.excludes and first < number < last:
                within = None
            if number == first:
                within, after = (within if step.count > 1 else None), None
            fitted.append(Step(step.where, step.test, step.count, within, after))
        return Sequence(tuple(fitted))

    def _step(self) -> Step:
        pick = self.random.choice
        where = self._events().where or Constant(True)
        test = pick([">=", ">=", "="])
        gaps = [None, None, Gap(1, "day"), Gap(2, "millisecond"), Gap(1, "hour"), Gap(90, "day")]
        within, after = pick(gaps), pick([None, None, None, Gap(1, "millisecond"), Gap(1, "day")])
        if within and after and after.millis > within.millis:
            after = None
        return Step(where, test, pick([1, 1, 1, 2, 3]), within, after)

    def _exclusion(self) -> Step:
        pick = self.random.choice
        where = self._events().where or Constant(True)
        return (
            Step(where, pick(["=", "<="]), 0, pick([None, Gap(1, "day")]))
            if pick([True, False])
            else Step(where, "<=", 1, pick([None, Gap(1, "day")]))
        )

    def _constant(self, scope: str) -> Condition:
        return Constant(self.random.random() < 0.5)

    def _segment(self, scope: str) -> Condition:
        return InSegment("seg_first")


def utc(*parts: int) -> int:
    """Return the millisecond of a moment in UTC."""
    return to_millis(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type]
