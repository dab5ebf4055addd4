"""Wiring of governance."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Whether data may be used: labels, policies, consent."""

    name = "governance"
    label = "governance"

    def ready(self) -> None:
        """Say what becomes of a sandbox's labels and policies when it is reset, copied or counted."""
        from cdp.tenancy import sandboxes
        from governance.services.sandboxes import (
            copy_governance,
            count_governance,
            forget_governance,
        )

        sandboxes.register(
            "governance",
            sandboxes.SandboxHandler(
                reset=forget_governance, copy=copy_governance, count=count_governance
            ),
        )
