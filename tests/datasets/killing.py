"""Workers in processes of their own, and their end in the middle of the work."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from django.db import connections
from django.utils import timezone

from cdp import queue
from cdp.clickhouse.connection import _client
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import bypass
from tests.datasets.flowing import TOPICS

PATIENCE = 60.0  # seconds


def fork_worker() -> int:
    """Fork a process that works on the queue until it is killed; return its number."""
    connections.close_all()  # a connection that a fork inherits belongs to two
    pid = os.fork()
    if pid:
        return pid
    try:
        _client.cache_clear()
        while True:
            queue.drain(TOPICS, forgiving=True)
            time.sleep(0.02)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def kill(pid: int) -> int:
    """Kill a worker, wherever it is, and let its claims run out; return its peak of memory."""
    os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    assert os.WIFSIGNALED(status), f"The worker had ended by itself: {status}"
    let_claims_end()
    return usage.ru_maxrss * 1024


def let_claims_end() -> None:
    """Let the lease of every claim run out, as it does some seconds after a worker's death."""
    with bypass():
        QueueItem.unscoped.filter(claim__isnull=False).update(available_at=timezone.now())


def kill_at(target: str, flag: Path, *, after: Callable[..., Any] | None = None) -> None:
    """Have a worker do its work up to the call of a function, and kill it there.

    `after` is done in place of the function, before the worker stands still.
    """

    def stand_still(*args: Any, **kwargs: Any) -> NoReturn:
        if after:
            after(*args, **kwargs)
        flag.touch()
        while True:
            signal.pause()

    with patch(target, stand_still):
        pid = fork_worker()
    try:
        wait_for(flag.exists, pid)
    finally:
        kill(pid)


def wait_for(condition: Callable[[], bool], pid: int) -> None:
    """Wait until the condition holds. Raises if it takes too long, or the worker ends."""
    end = time.monotonic() + PATIENCE
    while not condition():
        with suppress(ChildProcessError):
            assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        assert time.monotonic() < end, "The worker did not come this far."
        time.sleep(0.01)


def first_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the first chunk alone."""
    for chunk in chunks:
        yield chunk
        return
