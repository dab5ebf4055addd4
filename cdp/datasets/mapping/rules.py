"""Sets of mapping rules, compiled for one target schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from cdp.datasets.mapping import nodes
from cdp.datasets.mapping.convert import converted
from cdp.datasets.mapping.errors import ExpressionInvalid, RowInvalid
from cdp.datasets.mapping.expression import Expression, Row, compile_expression
from cdp.datasets.mapping.parse import parse
from cdp.datasets.mapping.paths import Step, parse_path, plain_path, put
from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field
from cdp.schemas.registry.suggest import hint

_APPEND: Final = "upsert_array_append"
_OF_UPSERTS: Final = frozenset({_APPEND, "upsert_array_replace"})
Kind = Literal["attribute", "constant", "expression"]
KINDS: Final = ("attribute", "constant", "expression")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a mapping set: where a value comes from and where it goes.

    `source` is a field's path for an attribute, the value itself for a constant,
    and the text for an expression.
    """

    kind: Kind
    source: Any
    destination: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that can be applied to rows."""

    rule: Rule
    expression: Expression | None
    steps: tuple[Step, ...]
    target: Field | None

    def apply(self, row: Row, record: dict[str, Any], now: datetime) -> None:
        """Write the rule's value into the record. Raises `RowInvalid`."""
        if self.expression is None:
            put(record, self.steps, self.rule.source)
            return
        value = self.expression.evaluate(row, now=now)
        put(record, self.steps, converted(value, self.target))


class CompiledMapping:
    """A mapping set that turns source rows into XDM records."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self.rules = tuple(rules)

    @property
    def source_fields(self) -> frozenset[str]:
        """Return the paths that the rules read."""
        return frozenset(
            path for rule in self.rules if rule.expression for path in rule.expression.fields
        )

    @property
    def appended(self) -> list[str]:
        """Return the paths of arrays whose items are put behind those that a profile has."""
        return [rule.rule.destination for rule in self.rules if _intent(rule.rule) == _APPEND]

    def apply(self, row: Row, *, now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
        """Map a row; return the record with everything that went wrong."""
        record: dict[str, Any] = {}
        errors: list[FieldError] = []
        for rule in self.rules:
            try:
                rule.apply(row, record, now)
            except RowInvalid as error:
                destination = rule.rule.destination
                detail = f"{error} (for '{destination}')"
                errors.append({"path": destination, "code": "mapping_failed", "detail": detail})
        return record, errors


def compile_mapping(
    rules: Sequence[Rule], fields: Mapping[str, Field]
) -> tuple[CompiledMapping, list[FieldError]]:
    """Compile a set for a schema's fields; return it with everything that is wrong with it."""
    compiled: list[CompiledRule] = []
    errors: list[FieldError] = []
    taken: dict[str, int] = {}
    for index, rule in enumerate(rules):
        try:
            compiled.append(_compile(rule, fields))
        except ExpressionInvalid as error:
            errors.append(_error(index, "invalid", error.detail))
            continue
        first = taken.setdefault(rule.destination, index)
        if first != index:
            detail = f"'{rule.destination}' is written by rule {first + 1} already."
            errors.append(_error(index, "duplicate_destination", detail))
    errors += _missing(fields, [rule.destination for rule in rules])
    return CompiledMapping(compiled), errors


def _compile(rule: Rule, fields: Mapping[str, Field]) -> CompiledRule:
    steps = parse_path(rule.destination)
    target = field_at(plain_path(rule.destination), fields)
    if rule.kind == "constant":
        try:
            value = converted(rule.source, target)
        except RowInvalid as error:
            raise ExpressionInvalid(str(error)) from error
        return CompiledRule(Rule("constant", value, rule.destination), None, steps, target)
    if not isinstance(rule.source, str):
        raise ExpressionInvalid("The source is a text.")
    text = attribute_text(rule.source) if rule.kind == "attribute" else rule.source
    compiled = compile_expression(text)
    _check_intent(rule)
    return CompiledRule(rule, compiled, steps, target)


def _intent(rule: Rule) -> str:
    """Return which of the functions of upserts a rule is, if any."""
    tree = parse(rule.source) if rule.kind == "expression" else None
    return tree.name if isinstance(tree, nodes.Call) and tree.name in _OF_UPSERTS else ""


def _check_intent(rule: Rule) -> None:
    """Raise `ExpressionInvalid` for a function of upserts that is not all of its rule."""
    if rule.kind != "expression":
        return
    named = [
        node.name
        for node in nodes.walk(parse(rule.source))
        if isinstance(node, nodes.Call) and node.name in _OF_UPSERTS
    ]
    if not named:
        return
    if not _intent(rule) or len(named) > 1:
        raise ExpressionInvalid(f"'{named[0]}' stands alone in its rule, around everything else.")
    if "[" in rule.destination:
        raise ExpressionInvalid(f"'{named[0]}' is for a whole array; name it without brackets.")


def field_at(path: str, fields: Mapping[str, Field]) -> Field | None:
    """Return the schema's field at a path, None inside a free object.

    Raises `ExpressionInvalid` for a path that the schema does not have.
    """
    if path in fields:
        return fields[path]
    known, free = "", False
    for name in path.split("."):
        step = f"{known}.{name}" if known else name
        any_name = f"{known}.*"
        if step in fields:
            known = step
        elif any_name in fields:
            known = any_name
        elif known and fields[known].type in ("any", "map"):
            free = True
            break
        elif known and not any(other.startswith(f"{known}.") for other in fields):
            free = fields[known].type == "object"
            break
        else:
            break
    else:
        return fields[known]
    if free:
        return None
    raise ExpressionInvalid(f"The schema has no field '{path}'.{hint(path, list(fields))}")


def attribute_text(path: str) -> str:
    """Write a plain source path as an expression, whatever characters its names hold.

    >>> attribute_text("first name.x[*].y")
    '${first name}.${x}[*].${y}'
    """
    return ".".join(
        f"${{{step.name}}}" + ("" if step.at is None else f"[{step.at}]")
        for step in parse_path(path)
    )


def _missing(fields: Mapping[str, Field], destinations: Sequence[str]) -> list[FieldError]:
    """Name what the schema requires at its root and no rule writes."""
    written = {destination.partition(".")[0].partition("[")[0] for destination in destinations}
    return [
        {
            "path": "rules",
            "code": "required_unmapped",
            "detail": f"The schema requires '{field.path}', and no rule writes it.",
        }
        for field in fields.values()
        if field.required and "." not in field.path and field.path not in written | {"_id"}
    ]


def _error(index: int, code: str, detail: str) -> FieldError:
    return {"path": f"rules.{index}", "code": code, "detail": detail}
