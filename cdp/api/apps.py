"""Wiring of the API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from cdp.tenancy.models import Sandbox
    from cdp.tenancy.sandboxes import ErasedPerson


class ApiConfig(AppConfig):
    """What every endpoint shares."""

    name = "cdp.api"
    label = "api"

    def ready(self) -> None:
        """Let stored answers go with their sandbox, and with the people they may speak of."""
        from cdp.tenancy.sandboxes import SandboxHandler, register

        register("api", SandboxHandler(reset=_reset, erase=_erase))


def _reset(sandbox: "Sandbox") -> None:
    from cdp.api.idempotency import forget_sandbox

    forget_sandbox(sandbox)


def _erase(sandbox: "Sandbox", _: "ErasedPerson") -> Mapping[str, int]:
    from cdp.api.idempotency import forget_sandbox

    return {"stored answers": forget_sandbox(sandbox)}
