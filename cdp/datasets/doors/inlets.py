"""Inlets and write keys as the doors see them: asked for often, forgotten after a second.

A revoked key or a switched-off inlet is noticed as soon as its entry is forgotten.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cdp.datasets.addresses import sandbox_of
from cdp.datasets.errors import InletNotFound, WriteKeyRefused
from cdp.datasets.routes import InletFacts
from cdp.datasets.selectors import inlet_facts
from cdp.tenancy.actors import Actor
from cdp.tenancy.authentication import find_sandbox, write_key_of
from cdp.tenancy.errors import Unauthenticated
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

KEPT_SECONDS: Final = 1.0
_MOST_KEPT: Final = 10_000
DOORS: Final = Actor.system("datasets.doors")
Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """What a look-up said, for a second; also that it found nothing."""

    def __init__(self, look_up: Callable[[str], Value | None]) -> None:
        self._look_up = look_up
        self._kept: dict[str, tuple[float, Value | None]] = {}

    def get(self, key: str) -> Value | None:
        """Return what the look-up says now or said less than a second ago."""
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        value = self._look_up(key)
        self._kept[key] = (now + KEPT_SECONDS, value)
        return value


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A live write key: its own id and the inlet that it opens."""

    id: str
    inlet_id: str


@dataclass(frozen=True, slots=True)
class OpenInlet:
    """An inlet that is switched on, and whose it is."""

    id: str
    sandbox: Sandbox
    facts: InletFacts


def open_inlet(inlet_id: str, *, door: str, key: str) -> OpenInlet:
    """Return the inlet if it speaks this protocol and the key fits.

    Raises `InletNotFound` or `WriteKeyRefused`.
    """
    inlet = _inlets.get(inlet_id)
    if inlet is None or inlet.facts.door != door:
        raise InletNotFound(f"There is no inlet '{inlet_id}' for this door, or it is off.")
    if key or inlet.facts.requires_key:
        facts = _keys.get(key) if key else None
        if facts is None or facts.inlet_id != inlet_id:
            raise WriteKeyRefused(
                "Send a live write key of this inlet, as 'Authorization: Bearer KEY'."
            )
    return inlet


def open_inlet_of_key(key: str, *, door: str) -> tuple[OpenInlet, str]:
    """Return the inlet that a write key opens, and the key's id. Raises `WriteKeyRefused`."""
    facts = _keys.get(key) if key else None
    inlet = _inlets.get(facts.inlet_id) if facts else None
    if facts is None or inlet is None or inlet.facts.door != door:
        raise WriteKeyRefused("The write key is missing, unknown, revoked or for another door.")
    return inlet, facts.id


def _look_up_inlet(inlet_id: str) -> OpenInlet | None:
    number = sandbox_of(inlet_id)
    sandbox = find_sandbox(number) if number is not None else None
    if sandbox is None:
        return None
    with scope(sandbox, DOORS):
        facts = inlet_facts(sandbox, [inlet_id]).get(inlet_id)
    return OpenInlet(inlet_id, sandbox, facts) if facts and facts.enabled else None


def _look_up_key(key: str) -> KeyFacts | None:
    try:
        row = write_key_of(key)
    except Unauthenticated:
        return None
    return KeyFacts(row.pk, row.inlet_id)


_inlets: Remembered[OpenInlet] = Remembered(_look_up_inlet)
_keys: Remembered[KeyFacts] = Remembered(_look_up_key)
