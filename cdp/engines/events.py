"""The event store's process: say how it is started, say whether it answers."""

import signal
import sys
import urllib.request
from contextlib import suppress

from cdp.engines.place import Place
from cdp.engines.port import event_store_port, forget_port, is_free

STOP = signal.SIGTERM


def prepare(place: Place, *, log_queries: bool = False) -> list[str]:
    """Return the command that holds chDB behind ClickHouse's HTTP protocol.

    It runs as whoever starts it, because its code lies in the checkout.
    """
    place.open()
    place.secret("clickhouse")
    for folder in (place.events, place.exchange):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not any(place.events.iterdir()) and not is_free(event_store_port(place)):
        forget_port(place)  # taken since it was chosen, and nobody can know it yet
    return [
        *(sys.executable, "-m", "cdp.clickhouse.embedded"),
        *("--data", str(place.events), "--backups", str(place.exchange)),
        *("--port", str(event_store_port(place))),
        *("--password-file", str(place.root / "secrets" / "clickhouse")),
        *(("--query-log", str(place.logs / "queries.jsonl")) if log_queries else ()),
    ]


def is_ready(place: Place) -> bool:
    """Tell whether our process answers: another one on the port would not know the password."""
    password = place.secret("clickhouse")
    request = urllib.request.Request(
        f"http://127.0.0.1:{event_store_port(place)}/",
        data=b"SELECT 1",
        headers={"X-ClickHouse-User": "cdp", "X-ClickHouse-Key": password},
    )
    with suppress(OSError), urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 http
        return bool(answer.read() == b"1\n")
    return False
