"""How long it takes to find the members of many segments.

The same people are counted by hand: one statement that somebody who knows the tables
would write for just these rules, in floats and without differences. Both must find
the same numbers, or there is no figure.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import django
from django.core.management import call_command

from benchmarks.report import Line, parser, progress, report
from cdp.clickhouse import client
from cdp.engines.ephemeral import ephemeral
from segments.language.clock import Clock
from segments.language.parse import parse
from segments.language.sql.scan import Few, Rule, members_scan, shared_scan
from segments.language.vocabulary import Known, Vocabulary

DAY = 86_400_000
PURCHASE, VIEW, ADD, OPEN = (
    "commerce.purchases",
    "commerce.productViews",
    "commerce.productListAdds",
    "directMarketing.emailOpened",
)
PAYMENTS = "commerce.order.payments"
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Place:
    """A sandbox as far as the event store knows one."""

    pk: int = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """A rule as text, and what one would write for it by hand."""

    text: str
    folds: tuple[str, ...]
    test: str


def main() -> None:
    """Measure a full evaluation with its differences, and one of touched profiles."""
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
    events, profiles = options.events, options.profiles
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
        fill(events, profiles)
        size = f"{events:,} events, {profiles:,} profiles"
        for rules in options.rules:
            yield from measured(shapes(rules), f"{rules} rules, {size}")
        yield touched(shapes(10), profiles, f"10 rules, 5,000 touched, {size}")


def fill(events: int, profiles: int) -> None:
    """Make people and what they did, in the store itself."""

    def put(text: str, **params: int) -> None:
        values = {"now": NOW, "profiles": profiles, **params}
        client.execute(text, sandbox=Place(), params=values, budget=client.MAINTENANCE)

    progress(f"making {profiles:,} profiles and {events:,} events")
    put(
        """INSERT INTO profiles (sandbox_id, profile_id, version, deleted, body)
SELECT {sandbox:UInt32}, number + 1, 1, 0, concat('{"loyalty":{"tier":"',
  ['base', 'silver', 'gold', 'platinum'][1 + cityHash64(number) % 4], '"}}')
FROM numbers({profiles:UInt64})"""
    )
    put(
        """INSERT INTO profile_overrides (sandbox_id, identity_id, profile_id, version)
SELECT {sandbox:UInt32}, number * 20 + 1, number * 20 + 2, 1 FROM numbers({profiles:UInt64} / 20)"""
    )
    for start in range(0, events, 1_000_000):
        put(
            """INSERT INTO events (sandbox_id, identity_id, ts, event_id, event_type, dataset_id,
  profile_id, body, ingested_at, batch_id)
SELECT {sandbox:UInt32}, 1 + cityHash64(number) % {profiles:UInt64} AS who,
  fromUnixTimestamp64Milli({now:Int64} - toInt64(cityHash64(number, 1) % 10368000000), 'UTC'),
  toString(number), ['commerce.purchases', 'commerce.productListAdds', 'commerce.productViews',
    'commerce.productViews', 'directMarketing.emailOpened', 'web.webpagedetails.pageViews'
  ][1 + cityHash64(number, 2) % 6] AS kind, 'ds_web', who,
  if(kind = 'commerce.purchases', concat('{"commerce":{"order":{"payments":[{"paymentAmount":',
      toString(cityHash64(number, 3) % 20000 / 100 + 0.005), '}]}},"productListItems":[{"SKU":"sku-',
      toString(cityHash64(number, 4) % 50), '"}]}'),
    concat('{"web":{"webPageDetails":{"name":"page-', toString(number % 100), '"}}}')),
  now64(3), 'b'
FROM numbers({start:UInt64}, {count:UInt64})""",
            start=start,
            count=min(1_000_000, events - start),
        )


def shapes(rules: int) -> list[Shape]:
    """Return so many rules of five kinds."""
    makers = (_sum, _count, _abandoned, _tiered, _item)
    return [makers[number % 5](number // 5) for number in range(rules)]


def _since(days: int) -> str:
    return f"at >= {NOW - days * DAY}"


def _sum(number: int) -> Shape:
    days, least = 7 + 2 * (number % 40), 50 + 10 * number
    amounts = "arraySum(x -> ifNull(x, 0), amounts)"
    fold = f"sumIf({amounts}, event_type = '{PURCHASE}' AND {_since(days)})"
    text = f'xEvent[eventType = "{PURCHASE}" and timestamp occurs <= {days} days before now]'
    return Shape(
        f"{text}.sum({PAYMENTS}.paymentAmount) > {least}.001", (fold,), f"{{0}} > {least}.001"
    )


def _count(number: int) -> Shape:
    days, least = 3 + number % 60, 1 + number % 4
    fold = f"countIf(event_type = '{VIEW}' AND {_since(days)})"
    text = f'xEvent[eventType = "{VIEW}" and timestamp occurs <= {days} days before now]'
    return Shape(f"{text}.count() >= {least}", (fold,), f"{{0}} >= {least}")


def _abandoned(number: int) -> Shape:
    days = 5 + number % 50
    folds = tuple(f"countIf(event_type = '{kind}' AND {_since(days)})" for kind in (ADD, PURCHASE))
    chosen = [
        f'xEvent[eventType = "{kind}" and timestamp occurs <= {days} days before now]'
        for kind in (ADD, PURCHASE)
    ]
    return Shape(f"{chosen[0]} and not ({chosen[1]})", folds, "{0} > 0 AND {1} = 0")


def _tiered(number: int) -> Shape:
    days, tier = 10 + number % 80, ("base", "silver", "gold", "platinum")[number % 4]
    fold = f"countIf(event_type = '{OPEN}' AND {_since(days)})"
    chosen = f'xEvent[eventType = "{OPEN}" and timestamp occurs <= {days} days before now]'
    return Shape(f'loyalty.tier = "{tier}" and {chosen}', (fold,), f"tier = '{tier}' AND {{0}} > 0")


def _item(number: int) -> Shape:
    days, sku = 20 + number % 70, f"sku-{number % 50}"
    holds = f"has(skus, '{sku}')"
    fold = f"countIf(event_type = '{PURCHASE}' AND {_since(days)} AND {holds})"
    text = (
        f'xEvent[eventType = "{PURCHASE}" and timestamp occurs <= {days} days before now'
        f' and productListItems.exists(SKU = "{sku}")]'
    )
    return Shape(text, (fold,), "{0} > 0")


def by_hand(chosen: list[Shape]) -> str:
    """Return one statement that counts the members of every rule."""
    numbers = count()
    folds: dict[str, str] = {}
    counts = []
    for shape in chosen:
        names = [folds.setdefault(fold, f"f{next(numbers)}") for fold in shape.folds]
        counts.append(f"countIf({shape.test.format(*names)})")
    listed = ", ".join(f"{fold} AS {name}" for fold, name in folds.items())
    return f"""SELECT {", ".join(counts)} FROM (
  SELECT profile_id, body.loyalty.tier.:String AS tier FROM profiles FINAL
  WHERE sandbox_id = {{sandbox:UInt32}}) AS p
LEFT JOIN (
  SELECT owner, {listed} FROM (
    SELECT if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner,
      e.at AS at, e.event_type AS event_type, e.amounts AS amounts, e.skus AS skus
    FROM (SELECT identity_id, profile_id, toUnixTimestamp64Milli(ts) AS at, event_type,
        body.{PAYMENTS}[].paymentAmount.:Float64 AS amounts,
        body.productListItems[].SKU.:String AS skus
      FROM events WHERE sandbox_id = {{sandbox:UInt32}}) AS e
    LEFT ANY JOIN (SELECT identity_id, profile_id FROM profile_overrides FINAL
      WHERE sandbox_id = {{sandbox:UInt32}}) AS o ON o.identity_id = e.identity_id
  ) GROUP BY owner
) AS f ON f.owner = p.profile_id"""


def measured(chosen: list[Shape], size: str) -> Iterator[Line]:
    """Yield a full evaluation with its differences, beside the two other ways."""
    progress(f"evaluating {size}")
    statement = by_hand(chosen)
    hand, numbers = min(
        (_timed(lambda: client.fetch_text(statement, sandbox=Place(), budget=client.MAINTENANCE)))
        for _ in range(3)
    )
    runs = [evaluate(chosen) for _ in range(3)]
    for _, sizes in runs:
        if tuple(sizes.get(f"seg_{n}", 0) for n in range(len(chosen))) != tuple(numbers[0]):
            raise RuntimeError("The two do not find the same people.")
    ours = min(taken for taken, _ in runs)
    yield Line("segments.shared_scan", ours, "s", "one statement by hand", hand, size)
    alone = sum(evaluate([each])[0] for each in chosen)
    yield Line("segments.one_by_one", ours, "s", "one query a segment", alone, size)


def evaluate(chosen: list[Shape]) -> tuple[float, dict[str, int]]:
    """Find everybody's segments and log the differences; return how long that took, and the sizes.

    What it leaves behind is cleared away outside of the time that is taken.
    """
    # Rows of models can be named only once Django knows its stores.
    log = import_module("segments.evaluation.log")
    evaluation, place, turn = uuid4(), Place(), next(_turns)
    scan = members_scan(_rules(chosen), _words(), _clock())

    def run() -> None:
        log.write_found(place, evaluation, 0, scan)
        log.write_differences(
            place,
            evaluation=evaluation,
            attempt=1,
            turn=turn,
            at=datetime.fromtimestamp(NOW / 1000, UTC),
            segments=[f"seg_{number}" for number in range(len(chosen))],
            others=[],
        )

    taken, _ = _timed(run)
    rows = client.fetch_text(
        "SELECT segment_id, bitmapCardinality(entered) FROM transitions "
        "WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}",
        sandbox=place,
        params={"turn": turn},
        budget=client.LOOKUP,
    )
    for table in ("transitions", "found_members"):
        text = f"ALTER TABLE {table} DELETE WHERE sandbox_id = {{sandbox:UInt32}}"
        client.execute(text, sandbox=place, budget=client.MAINTENANCE)
    wait_until_clear()
    return taken, dict(rows)


def wait_until_clear() -> None:
    """Wait until what was deleted is gone, so that every run finds nobody a member before."""
    left = "SELECT count() FROM transitions WHERE sandbox_id = {sandbox:UInt32}"
    while client.fetch_text(left, sandbox=Place(), budget=client.LOOKUP) != [(0,)]:
        time.sleep(0.02)


def touched(chosen: list[Shape], profiles: int, size: str) -> Line:
    """Return how long it takes to evaluate 5,000 profiles; aimed at are 0.4 s."""
    step = max(profiles // 5_000, 1)
    people = list(range(1, profiles + 1, step))[:5_000]
    scan = shared_scan(_rules(chosen), _words(), _clock(), Few(people, people))
    taken = min(
        _timed(
            lambda: client.fetch_text(
                scan.text, sandbox=Place(), params=scan.parameters, budget=client.STREAMING
            )
        )[0]
        for _ in range(3)
    )
    return Line("segments.touched", taken, "s", "the aim", 0.4, size)


_turns = count(1)


def _rules(chosen: list[Shape]) -> list[Rule]:

    return [Rule(f"seg_{n}", parse(shape.text, _words())) for n, shape in enumerate(chosen)]


def _words() -> Vocabulary:

    fields = [
        Known(PAYMENTS, "object", array=True),
        Known(f"{PAYMENTS}.paymentAmount", "number", in_array=(PAYMENTS,)),
        Known("productListItems", "object", array=True),
        Known("productListItems.SKU", "text", in_array=("productListItems",)),
    ]
    return Vocabulary(
        profile={"loyalty.tier": Known("loyalty.tier", "text")},
        event={field.path: field for field in fields},
    )


def _clock() -> Clock:

    return Clock(NOW, ZoneInfo("UTC"))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


if __name__ == "__main__":
    main()
