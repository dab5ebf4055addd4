"""The rules that `benchmarks.segments` measures, in the language and as one would write them by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

from segments.language.clock import Clock
from segments.language.parse import parse
from segments.language.sql.scan import Rule
from segments.language.vocabulary import Known, Vocabulary

DAY = 86_400_000
PURCHASE, VIEW, ADD, OPEN = (
    "commerce.purchases",
    "commerce.productViews",
    "commerce.productListAdds",
    "directMarketing.emailOpened",
)
PAYMENTS = "commerce.order.payments"
CLOCK = Clock(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000), ZoneInfo("UTC"))
WORDS = Vocabulary(
    profile={"loyalty.tier": Known("loyalty.tier", "text")},
    event={
        field.path: field
        for field in (
            Known(PAYMENTS, "object", array=True),
            Known(f"{PAYMENTS}.paymentAmount", "number", in_array=(PAYMENTS,)),
            Known("productListItems", "object", array=True),
            Known("productListItems.SKU", "text", in_array=("productListItems",)),
        )
    },
)


@dataclass(frozen=True, slots=True)
class Fold:
    """What is counted of a profile's events of one kind since a day; or their amounts summed."""

    kind: str
    days: int
    sku: str = ""
    is_sum: bool = False

    @property
    def chosen(self) -> str:
        """The condition as text of the language."""
        item = f' and productListItems.exists(SKU = "{self.sku}")' if self.sku else ""
        window = f"timestamp occurs <= {self.days} days before now"
        return f'xEvent[eventType = "{self.kind}" and {window}{item}]'

    @property
    def _when(self) -> str:
        return f"event_type = '{self.kind}' AND at >= {CLOCK.now - self.days * DAY}"

    def clickhouse(self) -> str:
        """Return it as an aggregate of ClickHouse, in floats."""
        holds = f" AND has(skus, '{self.sku}')" if self.sku else ""
        if self.is_sum:
            return f"sumIf(arraySum(x -> ifNull(x, 0), amounts), {self._when})"
        return f"countIf({self._when}{holds})"

    def postgres(self) -> str:
        """Return it as an aggregate of PostgreSQL."""
        holds = f""" AND body @> '{{"productListItems":[{{"SKU":"{self.sku}"}}]}}'"""
        where = f"FILTER (WHERE {self._when}{holds if self.sku else ''})"
        return f"sum({_AMOUNT}) {where}" if self.is_sum else f"count(*) {where}"


# Left out for all other events, whose bodies have none.
_AMOUNT = f"""CASE WHEN event_type = '{PURCHASE}' THEN (
  SELECT sum((payment->>'paymentAmount')::numeric)
  FROM jsonb_array_elements(body#>'{{commerce,order,payments}}') AS payment) END"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A rule as text, what one would count for it by hand, and the test of that."""

    text: str
    folds: tuple[Fold, ...]
    test: str


def shapes(rules: int) -> list[Shape]:
    """Return so many rules of five kinds."""
    makers = (_sum, _count, _abandoned, _tiered, _item)
    return [makers[number % 5](number // 5) for number in range(rules)]


def read(chosen: Sequence[Shape]) -> list[Rule]:
    """Return rules as the platform has them."""
    return [Rule(f"seg_{n}", parse(shape.text, WORDS)) for n, shape in enumerate(chosen)]


def _sum(number: int) -> Shape:
    fold = Fold(PURCHASE, 7 + 2 * (number % 40), is_sum=True)
    least = f"{50 + 10 * number}.001"
    return Shape(
        f"{fold.chosen}.sum({PAYMENTS}.paymentAmount) > {least}", (fold,), f"{{0}} > {least}"
    )


def _count(number: int) -> Shape:
    fold, least = Fold(VIEW, 3 + number % 60), 1 + number % 4
    return Shape(f"{fold.chosen}.count() >= {least}", (fold,), f"{{0}} >= {least}")


def _abandoned(number: int) -> Shape:
    folds = tuple(Fold(kind, 5 + number % 50) for kind in (ADD, PURCHASE))
    text = f"{folds[0].chosen} and not ({folds[1].chosen})"
    return Shape(text, folds, "{0} > 0 AND {1} = 0")


def _tiered(number: int) -> Shape:
    fold, tier = (
        Fold(OPEN, 10 + number % 80),
        ("base", "silver", "gold", "platinum")[number % 4],
    )
    text = f'loyalty.tier = "{tier}" and {fold.chosen}'
    return Shape(text, (fold,), f"tier = '{tier}' AND {{0}} > 0")


def _item(number: int) -> Shape:
    fold = Fold(PURCHASE, 20 + number % 70, sku=f"sku-{number % 50}")
    return Shape(fold.chosen, (fold,), "{0} > 0")


def by_hand(chosen: Sequence[Shape]) -> str:
    """Return one statement of ClickHouse that counts the members of every rule."""
    folds, tests = _named(chosen)
    counts = ", ".join(f"countIf({test})" for test in tests)
    listed = ", ".join(f"{fold.clickhouse()} AS {name}" for fold, name in folds.items())
    first = CLOCK.now - max(fold.days for fold in folds) * DAY
    kinds = ", ".join(sorted({f"'{fold.kind}'" for fold in folds}))
    return f"""SELECT {counts} FROM (
  SELECT profile_id, body.loyalty.tier.:String AS tier FROM profiles FINAL
  WHERE sandbox_id = {{sandbox:UInt32}}) AS p
LEFT JOIN (
  SELECT owner, {listed} FROM (
    SELECT if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner,
      e.at AS at, e.event_type AS event_type, e.amounts AS amounts, e.skus AS skus
    FROM (SELECT identity_id, profile_id, toUnixTimestamp64Milli(ts) AS at, event_type,
        body.{PAYMENTS}[].paymentAmount.:Float64 AS amounts,
        body.productListItems[].SKU.:String AS skus
      FROM events WHERE sandbox_id = {{sandbox:UInt32}}
        AND ts >= fromUnixTimestamp64Milli({first}, 'UTC') AND event_type IN ({kinds})) AS e
    LEFT ANY JOIN (SELECT identity_id, profile_id FROM profile_overrides FINAL
      WHERE sandbox_id = {{sandbox:UInt32}}) AS o ON o.identity_id = e.identity_id
  ) GROUP BY owner
) AS f ON f.owner = p.profile_id"""


def in_postgres(chosen: Sequence[Shape]) -> str:
    """Return one statement of PostgreSQL that counts the members of every rule."""
    folds, tests = _named(chosen)
    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
    there = ", ".join(f"coalesce({name}, 0) AS {name}" for name in folds.values())
    listed = ", ".join(f"{fold.postgres()} AS {name}" for fold, name in folds.items())
    first = CLOCK.now - max(fold.days for fold in folds) * DAY
    kinds = ", ".join(sorted({f"'{fold.kind}'" for fold in folds}))
    return f"""SELECT {counts} FROM (
  SELECT body#>>'{{loyalty,tier}}' AS tier, {there}
  FROM bench_profiles LEFT JOIN (
    SELECT coalesce(o.profile_id, e.profile_id) AS owner, {listed}
    FROM bench_events AS e LEFT JOIN bench_overrides AS o USING (identity_id)
    WHERE at >= {first} AND event_type IN ({kinds})
    GROUP BY 1
  ) AS f ON f.owner = bench_profiles.profile_id
) AS p"""


def _named(chosen: Sequence[Shape]) -> tuple[dict[Fold, str], list[str]]:
    """Return each fold under a name, equal ones once, and the tests over the names."""
    numbers = count()
    folds: dict[Fold, str] = {}
    tests = []
    for shape in chosen:
        names = [folds.setdefault(fold, f"f{next(numbers)}") for fold in shape.folds]
        tests.append(shape.test.format(*names))
    return folds, tests
