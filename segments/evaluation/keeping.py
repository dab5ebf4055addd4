"""Keeping the members now and then, where no evaluation of everybody does.

Whoever asks for members reads all that has changed since they were kept last. Where only
touched profiles are evaluated, that would become more than a look-up may read.
"""

from typing import Final

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments import selectors
from segments.errors import SandboxBusy
from segments.evaluation import log
from segments.evaluation.settling import settle
from segments.evaluation.turns import next_turn, take_turn

MOST_SINCE: Final = 100_000
_ACTOR: Final = Actor.system("segments.keep")


def keep_where_due() -> None:
    """Keep the members of each sandbox in which much has changed; run every hour."""
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        if log.count_since_kept(sandbox) > MOST_SINCE:
            _keep(sandbox)


def _keep(sandbox: Sandbox) -> None:
    """Keep them, unless an evaluation of everybody is about to: what it logs has an older turn."""
    try:
        with scope(sandbox, _ACTOR):
            take_turn(sandbox)
            if selectors.find_running(sandbox) is None:
                settle(sandbox)
                log.keep_members(sandbox, next_turn())
    except SandboxBusy:  # in an hour, then
        return
