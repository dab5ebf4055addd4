"""One process per name and data folder: take the name, and end whoever still has it.

A lock on a file says whether a program or a child of it lives. Unlike a number in a
file it cannot be stale, and no other process can be taken for it.
"""

import fcntl
import os
import signal
import time
from contextlib import suppress

from cdp.engines.place import Place

STOP_SECONDS = 20
GLANCE_SECONDS = 0.2  # `holder` has the lock for a moment when it looks
PAUSE = 0.02


def take(name: str, place: Place, stop: signal.Signals) -> None:
    """Hold this name until this process and its children have ended, whatever it becomes.

    A predecessor that its manager left behind is stopped; what a killed one left
    behind is killed.
    """
    place.open()
    handle = os.open(place.root / "locks" / name, os.O_RDWR | os.O_CREAT, 0o600)
    begun = time.monotonic()
    asked = False
    while not _try(handle):
        time.sleep(PAUSE)
        if time.monotonic() < begun + GLANCE_SECONDS:
            continue
        pid = int(os.pread(handle, 20, 0) or b"0")
        if pid and not asked:
            asked = _signal(pid, stop)
        if pid and (not asked or time.monotonic() > begun + STOP_SECONDS):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    os.set_inheritable(handle, True)  # the lock outlives exec and ends with the last child


def holder(name: str, place: Place) -> int | None:
    """Return the number of the process that has the name now."""
    with suppress(FileNotFoundError):
        handle = os.open(place.root / "locks" / name, os.O_RDWR)
        try:
            return None if _try(handle) else int(os.pread(handle, 20, 0) or b"0") or None
        finally:
            os.close(handle)
    return None


def _try(handle: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _signal(pid: int, number: signal.Signals) -> bool:
    """Send a signal; tell whether there was a process to receive it."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
