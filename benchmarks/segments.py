"""How long it takes to find the members of many segments.

A full evaluation is the scan of everybody and its differences, written to the event
store. Telling them, slice by slice, is left out here: it grows with what has changed
(`benchmarks.latency` measures it). The same people are counted by hand: one statement
that somebody who knows the tables would write for just these rules, in floats and
without differences. All ways must find the same numbers, or there is no figure.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import django
from django.core.management import call_command
from django.db import connection

from benchmarks.report import Line, parser, progress, report
from benchmarks.segment_data import Place, add_news, copy_to_postgres, fill, identities_of
from benchmarks.segment_rules import CLOCK, WORDS, Shape, by_hand, in_postgres, read, shapes
from cdp.clickhouse import client
from cdp.engines.ephemeral import ephemeral
from segments.language.sql.scan import members_scan

AIM, STEEPEST = 0.4, 1.1
MOST_ALONE = 50  # rules asked one by one: more only take longer
IN_POSTGRES = 50
LOGGED = "transitions", "found_members"
_turns = count(1)


def main() -> None:
    """Measure full evaluations, one of touched profiles, and how both grow."""
    made = parser(__doc__ or "")
    made.add_argument("--events", type=int, default=10_000_000)
    made.add_argument("--profiles", type=int, default=1_000_000)
    made.add_argument("--rules", type=int, nargs="+", default=[1, 10, 50, 200])
    options = made.parse_args()
    if options.small:
        options.events, options.profiles, options.rules = 200_000, 20_000, [1, 10, 50]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        report(lines(Path(folder), options), as_json=options.json)


def lines(folder: Path, options: argparse.Namespace) -> Iterator[Line]:
    """Yield the measurements."""
    with ephemeral(folder) as urls:
        os.environ |= {
            "DATABASE_URL": urls.database,
            "REDIS_URL": urls.redis,
            "CLICKHOUSE_URL": urls.clickhouse,
            "CDP_DATA": str(urls.place.root),
            "DJANGO_SETTINGS_MODULE": "cdp.settings",
        }
        django.setup()
        call_command("migrate_events", verbosity=0)
        large = Place(1, options.events, options.profiles)
        small = Place(2, options.events // 10, options.profiles // 10)
        fill(small)
        fill(large)
        taken: dict[int, float] = {}
        for rules in options.rules:
            shared, *others = measured(shapes(rules), large)
            taken[rules] = shared.value
            yield from (shared, *others)
        yield touched(shapes(10), large)
        yield from growth(taken, large, small)
        yield postgres(shapes(IN_POSTGRES), small)


def measured(chosen: list[Shape], place: Place) -> Iterator[Line]:
    """Yield a full evaluation beside the statement by hand and beside one query a segment."""
    size = f"{len(chosen)} rules, {place.size}"
    progress(f"evaluating {size}")
    statement = by_hand(chosen)
    hand, [numbers] = best(
        lambda: client.fetch_text(statement, sandbox=place, budget=client.MAINTENANCE)
    )
    ours = evaluated(chosen, place, tuple(numbers))
    yield Line("segments.shared_scan", ours, "s", "one statement by hand", hand, size)
    if 1 < len(chosen) <= MOST_ALONE:
        alone = sum(evaluate([each], place)[0] for each in chosen)
        yield Line("segments.one_by_one", ours, "s", "one query a segment", alone, size)


def touched(chosen: list[Shape], place: Place) -> Line:
    """Return how long the profiles of 5,000 new events take: who is in, and when that may change."""
    # Rows of models can be named only once Django knows its stores.
    asking = import_module("segments.evaluation.asking")
    answer = import_module("segments.evaluation.by_statement").answer_by_statement
    rule_book = import_module("segments.evaluation.rules").RuleBook
    profiles = add_news(place, 5_000)
    rules = read(chosen)
    book = rule_book(rules, [rules], {}, {}, [], WORDS, CLOCK.zone)
    owners = dict.fromkeys(identities_of(place, profiles), 0)
    at = datetime.fromtimestamp(CLOCK.now / 1000, UTC)
    asked = asking.Asked(place, book, profiles, owners, at, at + timedelta(days=1))
    taken, _ = best(lambda: answer(asked, rules, {}, asking.Answers()))
    size = f"{len(chosen)} rules, {len(profiles):,} of {place.size}"
    return Line("segments.touched", taken, "s", "the aim", AIM, size)


def growth(taken: dict[int, float], large: Place, small: Place) -> Iterator[Line]:
    """Yield how steeply the time grows with events and with rules, on a log-log scale."""
    most = max(taken)
    least = min((rules for rules in taken if rules > 1), default=most)
    progress("measuring growth")
    few, _ = evaluated_alone(shapes(least), small)
    steep = math.log(taken[least] / few) / math.log(large.events / small.events)
    size = f"{least} rules, {small.events:,} to {large.events:,} events"
    yield Line("segments.growth_events", steep, "slope", "the most allowed", STEEPEST, size)
    if most == least:
        return
    steep = math.log(taken[most] / taken[least]) / math.log(most / least)
    size = f"{least} to {most} rules, {large.size}"
    yield Line("segments.growth_rules", steep, "slope", "the most allowed", STEEPEST, size)


def postgres(chosen: list[Shape], place: Place) -> Line:
    """Return a full evaluation beside the same rules as one statement over JSONB."""
    copy_to_postgres(place)
    statement = in_postgres(chosen)

    def ask() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    theirs, [numbers] = timed(ask)
    ours = evaluated(chosen, place, tuple(numbers))
    size = f"{len(chosen)} rules, {place.size}"
    return Line("segments.postgres", ours, "s", "the same over PostgreSQL's JSONB", theirs, size)


def evaluated(chosen: list[Shape], place: Place, numbers: Sequence[int]) -> float:
    """Return the time of a full evaluation. Raises `RuntimeError` if it finds others."""
    taken, sizes = evaluated_alone(chosen, place)
    if tuple(sizes.get(f"seg_{n}", 0) for n in range(len(chosen))) != tuple(numbers):
        raise RuntimeError("The two do not find the same people.")
    return taken


def evaluated_alone(chosen: list[Shape], place: Place) -> tuple[float, dict[str, int]]:
    """Return the best of three full evaluations, and how many each segment has."""
    return min((evaluate(chosen, place) for _ in range(3)), key=lambda run: run[0])


def evaluate(chosen: list[Shape], place: Place) -> tuple[float, dict[str, int]]:
    """Find everybody's segments and log the differences; return how long that took, and the sizes.

    What it leaves behind is cleared away outside of the time that is taken.
    """
    # Rows of models can be named only once Django knows its stores.
    log = import_module("segments.evaluation.log")
    evaluation, turn = uuid4(), next(_turns)
    scan = members_scan(read(chosen), WORDS, CLOCK)

    def run() -> None:
        log.write_found(place, evaluation, scan)
        log.write_differences(
            place,
            evaluation=evaluation,
            attempt=1,
            turn=turn,
            at=datetime.fromtimestamp(CLOCK.now / 1000, UTC),
            segments=[f"seg_{number}" for number in range(len(chosen))],
            others=[],
        )

    taken, _ = timed(run)
    rows = client.fetch_text(
        "SELECT segment_id, bitmapCardinality(entered) FROM transitions "
        "WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}",
        sandbox=place,
        params={"turn": turn},
        budget=client.LOOKUP,
    )
    clear(place)
    return taken, dict(rows)


def clear(place: Place) -> None:
    """Forget what an evaluation logged, so that every run finds nobody a member before."""
    for table in LOGGED:
        text = f"ALTER TABLE {table} DELETE WHERE sandbox_id = {{sandbox:UInt32}}"
        client.execute(text, sandbox=place, budget=client.MAINTENANCE)
    left = "SELECT count() FROM transitions WHERE sandbox_id = {sandbox:UInt32}"
    while client.fetch_text(left, sandbox=place, budget=client.LOOKUP) != [(0,)]:
        time.sleep(0.02)


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the shortest time of three, and the answer."""
    return min((timed(work) for _ in range(3)), key=lambda run: run[0])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long it took, and the answer."""
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


if __name__ == "__main__":
    main()
