"""Sandbox handlers: what each app does when a sandbox is reset, copied, erased or counted.

The kernel cannot know the apps above it, so each registers itself in its `apps.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cdp.tenancy.models import Sandbox


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """Somebody whose data must go: identities, as (namespace, value), and numbers of profiles.

    When the handlers are asked, the profiles themselves are gone already.
    """

    identities: Sequence[tuple[str, str]]
    profiles: Sequence[int]

    @property
    def values(self) -> list[str]:
        """What the person was known by."""
        return sorted({value for _, value in self.identities})


@dataclass(frozen=True, slots=True)
class SandboxHandler:
    """One app's part in the life of a sandbox; None where it has nothing to do.

    `erase` returns how much of each kind it erased; run again it goes on with what is
    left. `count` returns how many rows of each kind the sandbox holds.
    """

    reset: Callable[[Sandbox], None] | None = None
    copy: Callable[[Sandbox, Sandbox], None] | None = None
    erase: Callable[[Sandbox, ErasedPerson], Mapping[str, int]] | None = None
    count: Callable[[Sandbox], Mapping[str, int]] | None = None


_handlers: dict[str, SandboxHandler] = {}


def register(name: str, handler: SandboxHandler) -> None:
    """Add one app's handler. Raises `ValueError` if the name is taken."""
    if name in _handlers:
        raise ValueError(f"{name} has registered already")
    _handlers[name] = handler


def handlers() -> dict[str, SandboxHandler]:
    """Return the handlers by name, in the order of the stack."""
    return dict(_handlers)
