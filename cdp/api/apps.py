"""Wiring of the API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from cdp.tenancy.models import Sandbox


class ApiConfig(AppConfig):
    """What every endpoint shares."""

    name = "cdp.api"
    label = "api"

    def ready(self) -> None:
        """Let stored answers go with their sandbox, and with the people they may speak of."""
        from cdp.tenancy.sandboxes import SandboxHandler, register

        register("api", SandboxHandler(reset=_reset, erase=_erase))


def _reset(sandbox: "Sandbox") -> None:
    _erase(sandbox, [])


def _erase(sandbox: "Sandbox", identities: list[tuple[str, str]]) -> Mapping[str, int]:
    from cdp.api.idempotency import forget_sandbox

    return {"stored answers": forget_sandbox(sandbox)}
