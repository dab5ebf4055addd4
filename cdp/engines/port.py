"""The loopback port of the event store: chosen once, kept as long as it is free."""

import os
import socket
from contextlib import suppress

from cdp.engines.place import Place


def event_store_port(place: Place) -> int:
    """Return the port this installation's event store answers on.

    It must stay the same over restarts, because other processes know the address.
    """
    note = place.root / "events.port"
    with suppress(FileNotFoundError, ValueError):
        return int(note.read_text())
    place.open()
    draft = note.with_name(f"events.port.{os.getpid()}")
    draft.write_text(str(free_port()))
    with suppress(FileExistsError):
        os.link(draft, note)
    draft.unlink()
    return int(note.read_text())


def forget_port(place: Place) -> None:
    """Have another port chosen at the next start, because somebody else took this one."""
    (place.root / "events.port").unlink(missing_ok=True)


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
