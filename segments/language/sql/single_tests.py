"""Single tests of values as SQL."""

from collections.abc import Callable
from typing import assert_never

from segments.language.ast import (
    Compare,
    Field,
    In,
    Instant,
    IsNull,
    ItemsMatch,
    Occurs,
    Operand,
    Related,
    Sets,
    Text,
    Value,
)
from segments.language.clock import Interval, days_of_year, distance_from, interval, span
from segments.language.exact import to_micro
from segments.language.kinds import kind_of
from segments.language.match_tests import day_text, days_within
from segments.language.moments import Distance
from segments.language.regex import like_pattern
from segments.language.sql.expressions import (
    MAX_INT64,
    Sql,
    as_float_arrays,
    as_floats,
    exact,
    lower,
    number,
    or_false,
    present,
)
from segments.language.sql.frames import Columns, EventFrame, Frame, TableFrame
from segments.language.sql.look_ups import current_entities
from segments.language.sql.values import ValueWriter
from segments.language.vocabulary import EVENT_TIME


class TestWriter(ValueWriter):
    """Writes tests of one row: a profile, an event, an item or an entity."""

    __test__ = False  # no test case, whatever its name

    def test(
        self,
        node: Compare | Text | In | Sets | IsNull | Occurs | ItemsMatch | Related,
        frame: Frame,
    ) -> str:
        """Return a single test as SQL that is 0 or 1."""
        match node:
            case Compare():
                return self._compare(node, frame)
            case Text():
                return self._each(self.value(node.left, frame), lambda x: self._text(node, x))
            case In():
                return self._in(node, frame)
            case Sets():
                return self._sets(node, frame)
            case IsNull(operand, negated):
                there = self._is_there(operand, frame)
                return there if negated else f"(NOT {there})"
            case Occurs():
                return self._occurs(node, frame)
            case ItemsMatch():
                return self._items(node, frame)
            case Related():
                return self._related(node, frame)
            case _:
                assert_never(node)

    def _each(self, value: Sql, test: Callable[[Sql], str]) -> str:
        """Return a test of a value, or of any of many."""
        if not value.depth:
            return or_false(test(value), nullable=True)
        self.levels += 1
        one = Sql(f"each{self.levels}", value.kind)
        body = or_false(test(one), nullable=True)
        return f"arrayExists({one.text} -> {body}, {value.flat().text})"

    def _compare(self, node: Compare, frame: Frame) -> str:
        left, right = self._alike(node.left, node.right, frame)
        if not node.case_sensitive:
            left, right = lower(left), lower(right)
        if node.operator == "=" and left.depth and left.kind == "text" and not right.nullable:
            return self._holds(node, left.flat(), right, frame)
        if right.depth:
            return self._each(right, lambda x: f"{left.text} {node.operator} {x.text}")
        if not left.depth and not (left.nullable or right.nullable):
            return f"({left.text} {node.operator} {right.text})"
        return self._each(left, lambda x: f"{x.text} {node.operator} {right.text}")

    def _holds(self, node: Compare, array: Sql, one: Sql, frame: Frame) -> str:
        """Return whether an array of texts has one; those written as they are may be sought together."""
        if isinstance(node.left, Field) and isinstance(node.right, Value) and node.case_sensitive:
            home, _ = self.bound(node.left, frame)
            return home.holds(array.text, one.text)
        return f"has({array.text}, {one.text})"

    def _alike(self, left: Operand, right: Operand, frame: Frame) -> tuple[Sql, Sql]:
        """Return two operands as they are compared with each other."""
        kinds = {kind_of(side, frame.scope, self.words) for side in (left, right)}
        if "exact" in kinds:
            return self.micro(left, frame), self.micro(right, frame)
        if "day" in kinds:
            return self._dated(left, frame), self._dated(right, frame)
        return self.value(left, frame), self.value(right, frame)

    def _dated(self, node: Operand, frame: Frame) -> Sql:
        if not isinstance(node, Instant):
            return self.value(node, frame)
        day = day_text(span(node.moment, self.clock)[0], self.clock.zone)
        return Sql(f"'{day}'", "day", nullable=False)

    def _text(self, node: Text, value: Sql) -> str:
        part = self.parameters.text(node.right)
        if node.test in ("like", "matches"):
            pattern = node.right if node.test == "matches" else like_pattern(node.right)
            flags = "" if node.case_sensitive else "(?i)"
            return f"match({value.text}, {self.parameters.text(flags + pattern)})"
        if not node.case_sensitive:
            value, part = lower(value), f"lowerUTF8({part})"
        match node.test.removeprefix("does_not_"):
            case "starts_with" | "start_with":
                found = f"startsWith({value.text}, {part})"
            case "ends_with" | "end_with":
                found = f"endsWith({value.text}, {part})"
            case _:
                found = f"position({value.text}, {part}) > 0"
        return f"NOT ({found})" if node.test.startswith("does_not") else found

    def _in(self, node: In, frame: Frame) -> str:
        value = self.value(node.operand, frame)
        if not node.case_sensitive:
            value = lower(value)
        if isinstance(node.values, Value):
            found = f"{value.text} IN {self._written(node.values, value, node.case_sensitive)}"
        else:
            among = self.field(node.values, frame)
            array = present(among.text)
            if not node.case_sensitive:
                array = f"arrayMap(l -> lowerUTF8(l), {array})"
            return self._in_array(value, Sql(array, among.kind, False, 1), node.negated)
        if node.negated:
            found = f"isNotNull({value.text}) AND NOT ({found})"
        return or_false(found, nullable=True)

    def _in_array(self, value: Sql, among: Sql, negated: bool) -> str:
        left, array = as_floats(value, among)
        found = f"has({array}, {left})"
        if negated:
            found = f"notEmpty({array}) AND NOT {found}"
        return or_false(f"isNotNull({value.text}) AND {found}", nullable=True)

    def _written(self, node: Value, beside: Sql, case_sensitive: bool) -> str:
        """Return a written list as it is compared with a value."""
        values = node.value if isinstance(node.value, tuple) else (node.value,)
        match beside.kind:
            case "text" | "day":
                words = [str(each) if case_sensitive else str(each).lower() for each in values]
                return self.parameters.texts(words)
            case "boolean":
                literals = ["true" if each else "false" for each in values]
            case "exact":
                literals = [exact(to_micro(float(each))) for each in values]
            case "integer":
                literals = [number(int(each)) for each in values if _is_int64(each)] or ["NULL"]
            case _:
                literals = [number(float(each)) for each in values]
        return f"({', '.join(literals)})"

    def _sets(self, node: Sets, frame: Frame) -> str:
        left = self.field(node.left, frame)
        mine = Sql(present(left.text), left.kind, False, 1)
        if isinstance(node.right, Value):
            texts = node.right.value if isinstance(node.right.value, tuple) else ()
            if left.kind in ("text", "day"):
                theirs = Sql(self.parameters.texts(str(each) for each in texts), left.kind)
            else:
                numbers = left.kind != "boolean"
                plain = [float(each) if numbers else each for each in texts]
                literals = ", ".join(self.literal(each).text for each in plain)
                theirs = Sql(f"[{literals}]", left.kind)
        else:
            right = self.field(node.right, frame)
            theirs = Sql(present(right.text), right.kind)
        one, other = as_float_arrays(mine, theirs)
        both = f"notEmpty({one}) AND notEmpty({other})"
        match node.test:
            case "intersects":
                return f"({both} AND hasAny({one}, {other}))"
            case "subset_of":
                return f"({both} AND hasAll({other}, {one}))"
            case "superset_of":
                return f"({both} AND hasAll({one}, {other}))"

    def _is_there(self, operand: Operand, frame: Frame) -> str:
        if not isinstance(operand, Field):
            return f"isNotNull({self.value(operand, frame).text})"
        home, bound = self.bound(operand, frame)
        if bound.known.kind == "object":
            if bound.known.array:
                items = home.items(bound)
                return f"notEmpty({items if bound.depth == 1 else f'arrayFlatten({items})'})"
            leaves = self.words.leaves(bound.base, bound.path, frame.scope.entity)
            below = len(bound.path) - len(operand.path)
            found = [self._is_there(Field(leaf[below:], operand.of), frame) for leaf in leaves]
            return f"({' OR '.join(found) or '0'})"
        value = home.read(bound)
        if not value.depth:
            return f"isNotNull({value.text})"
        return f"arrayExists(h -> isNotNull(h), {value.flat().text})"

    def _occurs(self, node: Occurs, frame: Frame) -> str:
        window = node.window
        value = self.value(node.operand, frame)
        if isinstance(window, Distance) and isinstance(window.anchor, Field):
            anchor = self.value(window.anchor, frame)
            seen = distance_from(window, 0, self.clock.zone)
            return self._each(value, lambda x: _inside(x.text, seen, f"{anchor.text} + "))
        seen = interval(window, self.clock)
        if self._is_past(node.operand, frame) and seen.end and seen.end > self.clock.now:
            seen = Interval(seen.start, None)
        if node.ignore_year:
            ranges = days_of_year(seen, self.clock.zone)
            return self._each(value, lambda x: self._in_year(x, ranges))
        if value.kind == "day":
            first, end = days_within(seen, self.clock.zone)
            return self._each(value, lambda x: _inside_days(x.text, first, end))
        if not value.depth and not value.nullable:
            return f"({_inside(value.text, seen)})"
        return self._each(value, lambda x: _inside(x.text, seen))

    def _in_year(self, value: Sql, ranges: list[tuple[int, int]]) -> str:
        if value.kind == "day":
            digits = f"concat(substring({value.text}, 6, 2), substring({value.text}, 9, 2))"
            day = f"toUInt16OrNull({digits})"
        else:
            local = self.local(value.text)
            day = f"(toMonth({local}) * 100 + toDayOfMonth({local}))"
        tests = [f"{day} BETWEEN {first} AND {last}" for first, last in ranges]
        return f"({' OR '.join(tests) or '0'})"

    def _is_past(self, operand: Operand, frame: Frame) -> bool:
        """Return whether a time is that of an event which is known to have happened."""
        if operand != Field(EVENT_TIME, "event"):
            return False
        home = frame.root("event")
        return isinstance(home, EventFrame) and not home.ahead

    def _items(self, node: ItemsMatch, frame: Frame) -> str:
        if plain := _as_any_value(node):
            return self.test(plain, frame)
        items = self.item_frame(node.array, frame)
        body = self.condition(node.where, items)
        if node.quantifier == "any":
            return items.over("arrayExists", body)
        every = items.over("arrayAll", body)
        home, bound = self.bound(node.array, frame)
        some = next(iter(items.variables.arrays), None) or home.items(bound)
        return f"(notEmpty({some}) AND {every})"

    def _related(self, node: Related, frame: Frame) -> str:
        keys = self._keys(node, frame)
        return self._each(self.value(node.key, frame), lambda x: f"{x.text} IN {keys}")

    def _keys(self, node: Related, frame: Frame) -> str:
        """Return the sub-query of the keys of the entities that satisfy a condition."""
        entity = self.words.entity(node.entity)
        if entity is None:
            raise LookupError(f"No look-up entity {node.entity!r}: the rule was not checked.")
        columns = Columns("entity_field")
        where = self.condition(node.where, TableFrame(frame.scope.related(node.entity), columns))
        current = current_entities(entity, columns, self.parameters.texts(entity.datasets))
        return f"(SELECT entity_key FROM ({current}) WHERE {where})"


def _as_any_value(node: ItemsMatch) -> Compare | None:
    """Return "an item whose field equals this" as "a value of the field, of any item, does"."""
    match node:
        case ItemsMatch("any", array, Compare("=", Field(path, "item"), Value() as value, True)):
            return Compare("=", Field(f"{array.path}.{path}", array.of), value)
        case _:
            return None


def _inside(text: str, seen: Interval, before: str = "") -> str:
    tests = []
    if seen.start is not None:
        tests.append(f"{text} >= {before}({seen.start})")
    if seen.end is not None:
        tests.append(f"{text} < {before}({seen.end})")
    return " AND ".join(tests) or "1"


def _inside_days(text: str, first: str | None, end: str | None) -> str:
    tests = [f"{text} >= '{first}'"] if first else []
    tests += [f"{text} < '{end}'"] if end else []
    return " AND ".join(tests) or f"isNotNull({text})"


def _is_int64(value: object) -> bool:
    return isinstance(value, int | float) and value == int(value) and abs(value) <= MAX_INT64
