"""What we do with news and with our own due work."""

from cdp.queue import Claim
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope
from destinations.services.accepting import MembershipChange, accept_changes


def on_memberships_changed(claim: Claim) -> None:
    """Make deliveries of changes of membership."""
    changes = [
        MembershipChange(
            segment_id=item.payload["segment"],
            evaluation=item.payload["evaluation"],
            entered=item.payload["entered"],
            exited=item.payload["exited"],
            at=item.created_at,
        )
        for item in claim.items
    ]
    with scope(claim.sandbox, Actor.system("destinations.accept")):
        accept_changes(claim.sandbox, changes)
        claim.finish()
