"""What aggregates and sequences mean, once more: plain Python over dicts, for tests alone.

It shares nothing with the readers it judges: it reads no tree, tries every way to lay a
sequence, and counts in fractions. Where they say "latest" or "micro-unit", it says all.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Json = dict[str, Any]

SIGNS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
UNITS = {"millisecond": 1, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}


# --- rules as dicts, and as text ---------------------------------------------------------------


def written(rule: Json) -> str:
    """Return a rule as the language writes it."""
    return _written_sequence(rule) if "steps" in rule else _written_aggregate(rule)


def _written_aggregate(rule: Json) -> str:
    tests = [f'eventType = "{rule["kind"]}"']
    if window := rule["window"]:
        tests.append(f"timestamp occurs <= {window['count']} {window['unit']}s before now")
    over = f"xEvent[{' and '.join(tests)}]"
    if rule["of"] == "prices":
        over += ".items" + (f'[sku = "{rule["sku"]}"]' if rule["sku"] else "")
    field = {"events": "", "amounts": "amount", "prices": "price"}[rule["of"]]
    return f"{over}.{rule['function']}({field}) {rule['sign']} {rule['value']}"


def _written_sequence(rule: Json) -> str:
    steps = []
    for number, step in enumerate(rule["steps"]):
        text = (
            f'C{number}: WHAT(eventType = "{step["kind"]}") COUNT({step["test"]} {step["count"]})'
        )
        for word in ("within", "after"):
            if gap := step.get(word):
                text += f" {word.upper()}({gap['count']} {gap['unit']}s)"
        steps.append(text)
    return f"CHAIN(xEvent, timestamp, [{', '.join(steps)}])"


# --- what they mean ----------------------------------------------------------------------------


def holds(rule: Json, person: Json, now: int) -> bool:
    """Return whether a person satisfies a rule at a millisecond, in UTC."""
    events = [event for event in person["events"] if event["at"] <= now]
    if "steps" in rule:
        return any(_is_laid(rule["steps"], laid, events) for laid in _ways(rule["steps"], events))
    value = _aggregate(rule, events, now)
    return value is not None and bool(SIGNS[rule["sign"]](value, Fraction(str(rule["value"]))))


def _aggregate(rule: Json, events: list[Json], now: int) -> Fraction | None:
    chosen = [event for event in events if event["type"] == rule["kind"]]
    if window := rule["window"]:
        chosen = [event for event in chosen if event["at"] >= _before(now, **window)]
    values: list[Any]
    match rule["of"]:
        case "events":
            return Fraction(len(chosen))
        case "amounts":
            values = [event["amount"] for event in chosen if "amount" in event]
        case _:
            items = [item for event in chosen for item in event.get("items", [])]
            values = [
                item["price"]
                for item in items
                if "price" in item and rule["sku"] in ("", item.get("sku"))
            ]
    numbers = [Fraction(str(value)) for value in values]
    match rule["function"]:
        case "count":
            return Fraction(len(numbers))
        case "distinct":
            return Fraction(len(set(numbers)))
        case "sum":
            return sum(numbers, Fraction())
        case "min":
            return min(numbers, default=None)
        case "max":
            return max(numbers, default=None)
    if not numbers:
        return None
    average = sum(numbers, Fraction()) / len(numbers)
    return Fraction(int(average * 1_000_000), 1_000_000)  # what lies below a millionth is cut off


def _before(now: int, count: int, unit: str) -> int:
    """Return the first millisecond of a window; months go by the calendar."""
    if unit in UNITS:
        return now - count * UNITS[unit]
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)
    month = at.year * 12 + at.month - 1 - count
    last = monthrange(month // 12, month % 12 + 1)[1]
    then = at.replace(year=month // 12, month=month % 12 + 1, day=min(at.day, last))
    return (then - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _ways(steps: list[Json], events: list[Json]) -> Iterator[list[tuple[int, ...]]]:
    """Yield every choice of times for the steps that ask for events, in order of time."""

    def laid(number: int, since: int | None) -> Iterator[list[tuple[int, ...]]]:
        if number == len(steps):
            yield []
            return
        if _forbids(steps[number]):
            yield from ([(), *rest] for rest in laid(number + 1, since))
            return
        times = _times(steps[number], events)
        after = [at for at in times if since is None or at > since]
        for chosen in combinations(after, steps[number]["count"]):
            yield from ([chosen, *rest] for rest in laid(number + 1, chosen[-1]))

    return laid(0, None)


def _is_laid(steps: list[Json], laid: list[tuple[int, ...]], events: list[Json]) -> bool:
    for number, (step, chosen) in enumerate(zip(steps, laid, strict=True)):
        before = [at for times in laid[:number] for at in times]
        behind = [at for times in laid[number + 1 :] for at in times]
        start, end = max(before, default=None), min(behind, default=None)
        if not _forbids(step):
            if start is not None and not _is_near(step, chosen, start):
                return False
            if (
                start is None
                and "within" in step
                and chosen[-1] - chosen[0] > _length(step["within"])
            ):
                return False
            if step["test"] == "=" and len(_between(step, events, start, end)) != step["count"]:
                return False
            continue
        if "within" in step and start is None and end is not None:
            start = end - _length(step["within"]) - 1
        elif "within" in step and end is None and start is not None:
            end = start + _length(step["within"]) + 1
        if len(_between(step, events, start, end)) > step["count"]:
            return False
    return True


def _is_near(step: Json, chosen: tuple[int, ...], start: int) -> bool:
    late = "within" in step and chosen[-1] - start > _length(step["within"])
    early = "after" in step and chosen[0] - start < _length(step["after"])
    return not (late or early)


def _between(step: Json, events: list[Json], start: int | None, end: int | None) -> list[int]:
    return [
        at
        for at in _times(step, events)
        if (start is None or at > start) and (end is None or at < end)
    ]


def _times(step: Json, events: list[Json]) -> list[int]:
    return sorted(event["at"] for event in events if event["type"] == step["kind"])


def _forbids(step: Json) -> bool:
    return bool(step["test"] == "<=" or step["count"] == 0)


def _length(gap: Json) -> int:
    return int(gap["count"]) * UNITS[gap["unit"]]
