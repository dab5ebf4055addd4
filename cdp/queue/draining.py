"""Doing the queue's work here and now, without workers: for tests and commands."""

from collections.abc import Iterable

from cdp.queue.subscriptions import find_subscription, subscribed_topics
from cdp.queue.taking import take
from cdp.queue.working import handle
from cdp.tenancy.scope import current_scope


def drain(
    topics: Iterable[str] | None = None, *, until_empty: bool = True, forgiving: bool = False
) -> int:
    """Run the handlers of what is due in this process; return how many claims there were.

    Goes round the topics, lowest first, until nothing is due, or once with
    `until_empty=False`. What a handler raises is raised here, unless `forgiving`:
    then it is left to its retry, as a worker would. Inside a scope it keeps to that
    sandbox. Rows that rest until later are not touched.
    """
    scope = current_scope()
    only = scope.sandbox_id if scope else None
    names = subscribed_topics() if topics is None else list(topics)
    done = 0
    while True:
        before = done
        for name in names:
            done += _drain_topic(name, only, forgiving=forgiving)
        if done == before or not until_empty:
            return done


def _drain_topic(topic: str, only: int | None, *, forgiving: bool) -> int:
    subscription = find_subscription(topic)
    if subscription is None:
        raise LookupError(f"Nobody has subscribed to {topic}.")
    done = 0
    while claim := take(subscription, only):
        error = handle(claim)
        if error and not forgiving:
            raise error
        done += 1
    return done
