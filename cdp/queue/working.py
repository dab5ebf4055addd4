"""Running a claim through its handler, and what follows from how that ends."""

import random
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from cdp.queue.claims import Claim, LeaseLost
from cdp.queue.failures import is_nobodys
from cdp.queue.keeping import keeper
from cdp.queue.subscriptions import Subscription, find_subscription
from cdp.queue.taking import is_due, take
from cdp.queue.waking import wake
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope

TURN = timedelta(milliseconds=200)  # then the topics that wait behind this one have theirs
LONGEST_PAUSE = timedelta(minutes=5)
AWAY_PAUSE = timedelta(seconds=2)
ERROR_LENGTH = 2000
UNFINISHED = "The handler ended without finishing these rows."

# A row comes here alone once it has failed with others, so only itself is to blame.
_SETTLE = """
UPDATE queue_queueitem SET
    claim = NULL,
    error = %(error)s,
    attempts = attempts + %(failures)s,
    deaths = 0,
    available_at = %(now)s
        + least(%(longest)s, greatest(%(shortest)s, power(2, attempts)))
        * %(jitter)s * interval '1 second',
    buried_at = CASE WHEN attempts + %(failures)s >= %(most)s THEN %(now)s END
WHERE topic = %(topic)s AND sandbox_id = %(sandbox)s AND claim = %(token)s
RETURNING buried_at
"""

log = structlog.get_logger(__name__)


def work(topic: str) -> int:
    """Work on a topic until nothing is due or the turn is over, then on what follows from it.

    Returns how many claims were handled.
    """
    subscription = find_subscription(topic)
    if subscription is None:
        log.error("topic_without_handler", topic=topic)
        return 0
    done = _take_turn(subscription)
    if done and subscription.then:
        done += work(subscription.then)
    return done


def _take_turn(subscription: Subscription) -> int:
    topic = subscription.topic
    done, end = 0, time.monotonic() + TURN.total_seconds()
    while claim := take(subscription):
        if done == 0:
            wake(topic)  # there may be more than one of us can do
        with keeper.keep(claim):
            handle(claim)
        done += 1
        if time.monotonic() > end:
            if is_due(subscription):
                wake(topic)
            break
    return done


def handle(claim: Claim) -> Exception | None:
    """Give a claim to its handler, settle what the handler leaves, and return what it raised."""
    with bound_contextvars(topic=claim.topic, sandbox=claim.sandbox.pk):
        try:
            _run(claim)
        except LeaseLost as error:
            log.warning("lease_lost", error=str(error))
            return error
        except Exception as error:  # whatever it is, the rows must not be stuck
            if is_nobodys(error):
                log.warning("store_away", error=_explain(error))
            else:
                log.exception("handler_failed", items=len(claim.items))
            _settle(claim, _explain(error), blame=not is_nobodys(error))
            return error
        _settle(claim, UNFINISHED, blame=True)
        return None


def _run(claim: Claim) -> None:
    """Call the handler, unless the rows have ended too many workers already."""
    deaths = max(item.deaths for item in claim.items)
    if deaths >= settings.QUEUE_MAX_DEATHS:
        with scope(claim.sandbox, Actor.system("queue")):
            claim.bury(claim.items, f"Its worker died {deaths} times.")
        return
    started = time.monotonic()
    claim.subscription.handler(claim)
    took = round((time.monotonic() - started) * 1000)
    log.info("worked", items=len(claim.items), milliseconds=took)


def _settle(claim: Claim, error: str, *, blame: bool) -> None:
    """Put back what is still held, later each time, and bury what has failed often enough.

    If the database stays away, nothing is written and the lease ends by itself.
    """
    end = time.monotonic() + claim.subscription.lease.total_seconds()
    while True:
        try:
            buried = _put_back(claim, error, blame=blame)
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > end:
                log.warning("settling_given_up")
                return
            time.sleep(0.5)
        else:
            if buried:
                log.error("buried", items=buried, error=error)
            return


def _put_back(claim: Claim, error: str, *, blame: bool) -> int:
    values = {
        "error": error,
        "failures": 1 if blame else 0,
        "now": timezone.now(),
        "shortest": 1 if blame else AWAY_PAUSE.total_seconds(),
        "longest": LONGEST_PAUSE.total_seconds() if blame else AWAY_PAUSE.total_seconds(),
        "jitter": random.uniform(0.75, 1.25),  # noqa: S311 spreads retries, keeps no secret
        "most": settings.QUEUE_MAX_ATTEMPTS,
        "topic": claim.topic,
        "sandbox": claim.sandbox.pk,
        "token": claim.token,
    }
    with scope(claim.sandbox, Actor.system("queue")), connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)
        return sum(buried_at is not None for (buried_at,) in cursor.fetchall())


def _explain(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
