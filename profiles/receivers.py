"""What we do when news arrives on the queue."""

from collections.abc import Callable
from typing import Final

from cdp.queue import Claim
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.services.rebuilding import rejudge_slice, retake_and_go_on

ACTOR: Final = Actor.system("profiles")


def rejudge_graphs(claim: Claim) -> None:
    """Handle topic `graphs.outdated`: the earliest slice stands for all that are claimed."""
    _one_slice(claim, rejudge_slice)


def retake_snapshots(claim: Claim) -> None:
    """Handle topic `snapshots.outdated`: the earliest slice stands for all that are claimed."""
    _one_slice(claim, retake_and_go_on)


def _one_slice(claim: Claim, work: Callable[[Sandbox, int], None]) -> None:
    with scope(claim.sandbox, ACTOR):
        work(claim.sandbox, min(item.payload["after"] for item in claim.items))
        claim.finish()
