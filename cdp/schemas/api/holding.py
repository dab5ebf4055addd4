"""The registry's turn, taken before the first row is locked."""

from typing import Any

from cdp.api.mixins import ObjectMixin
from cdp.api.views import SandboxViewSet
from cdp.schemas.services.holding import take_turn


class TurnMixin(ObjectMixin, SandboxViewSet):
    """Waits for the sandbox's registry before it locks what a route names.

    In the other order two changes could wait for each other for ever.
    """

    def get_locked_object(self) -> Any:
        take_turn(self.sandbox)
        return super().get_locked_object()
