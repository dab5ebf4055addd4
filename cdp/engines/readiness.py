"""Wait until an engine answers."""

import time
from collections.abc import Callable
from pathlib import Path

from cdp.engines import events, postgres, redis
from cdp.engines.errors import EngineError
from cdp.engines.place import Place
from cdp.engines.program import log_of

IS_READY: dict[str, Callable[[Place], bool]] = {
    "postgres": postgres.is_ready,
    "redis": redis.is_ready,
    "events": events.is_ready,
}
PAUSE = 0.02


def wait_until_ready(name: str, place: Place, seconds: float, is_alive: Callable[[], bool]) -> None:
    """Return when the engine answers; raise `EngineError` if it ends first or takes too long."""
    deadline = time.monotonic() + seconds
    while not IS_READY[name](place):
        if not is_alive():
            raise EngineError(f"{name} ends while starting. {last_words(log_of(name, place))}")
        if time.monotonic() > deadline:
            raise EngineError(
                f"{name} has not answered for {seconds:.0f} s. {last_words(log_of(name, place))}"
            )
        time.sleep(PAUSE)


def last_words(log: Path, lines: int = 8) -> str:
    """Return the end of a log, for the message about what happened."""
    words = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    if not words:
        return f"It said nothing in {log}."
    return "\n".join([f"Its last words, from {log}:", *words[-lines:]])
