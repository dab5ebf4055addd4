"""What the event store may answer instead of a result."""

from typing import Any

from clickhouse_connect.driver.exceptions import Error

from cdp.errors import DomainError, Unavailable

# ClickHouse's codes. A limit of the query itself was reached:
OVER_BUDGET = {158, 159, 160, 241, 307, 396}
# The store cannot do it now, and may be able to in a while:
AWAY = {3, 74, 76, 202, 203, 209, 210, 216, 225, 242, 243, 252, 279, 285, 319, 999}
# It does not know us: not the caller's mistake, and over when the setting is put right:
LOCKED_OUT = {192, 193, 194, 497, 516}


class StoreUnavailable(Unavailable):
    """The event store does not answer now; what was asked may be asked again later."""

    code = "store_unavailable"


class StoreRefused(DomainError):
    """The event store will not do this, however often it is asked.

    `store_code` is ClickHouse's own number for the reason.
    """

    code, status, title = "store_refused", 422, "The event store refused this"

    def __init__(self, detail: str, *, store_code: int | None = None, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.store_code = store_code


class BudgetExceeded(DomainError):
    """The query used up the time or memory that queries of its class are given."""

    code, status, title = "budget_exceeded", 422, "The query is too expensive"


class QueryNotFenced(Exception):
    """A query that is not tied to one sandbox, and was not sent: a mistake in our own code."""


def from_store(error: Error, budget: str) -> DomainError:
    """Return the refusal that an error of the client means.

    An answer without a code of ClickHouse's is no answer of ClickHouse's: the
    store is away, or something between us and it.
    """
    text, code = str(error), error.code
    if code is None or code in AWAY or (code == 241 and "(total)" in text):
        return StoreUnavailable("The event store does not answer; try again shortly.")
    if code in LOCKED_OUT:
        return StoreUnavailable("The event store does not accept our credentials.")
    if code in OVER_BUDGET:
        return BudgetExceeded(
            f"The query went over the limits of its class ({budget}): "
            "ask for less, or for a shorter time."
        )
    return StoreRefused(_sentence(text), store_code=code)


def _sentence(text: str) -> str:
    """Return ClickHouse's own sentence, without addresses and versions."""
    _, _, rest = text.partition("DB::Exception: ")
    return (rest or text).partition(" (for url")[0].partition(" (version ")[0].strip()[:1000]
