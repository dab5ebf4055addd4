"""Cutting a link between two identities, and taking the cut back."""

from django.utils import timezone

from cdp.errors import Conflict
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from profiles.errors import LinkUnknown
from profiles.identity.neighbourhood import Held
from profiles.identity.rules import Identity
from profiles.ingest.regrouped import hand_over_regrouped
from profiles.models import Identity as IdentityRow
from profiles.models import IdentityLink
from profiles.selectors.graphs import get_identity
from profiles.selectors.rules import linking_rules
from profiles.stitching.locks import await_graphs
from profiles.stitching.refill import refill
from profiles.stitching.stitch import resettle


def cut_link(*, actor: Actor, sandbox: Sandbox, first: Identity, second: Identity) -> None:
    """Part two identities, whatever will be seen of them, until `restore_link`.

    Other links may still join them: `explain` shows which. Who parts gets the profile
    that was theirs before, and their events go with them. Raises `LinkUnknown`.
    """
    await_graphs(sandbox)
    link = _get_link(sandbox, first, second)
    if link.cut_at is not None:
        raise Conflict("The link is cut already.", code="link_cut")
    _change(sandbox, link, cut_at=timezone.now(), by_a=False, by_b=False)
    _resettle(sandbox, link, None)
    _record(actor, sandbox, "identity_link.cut", link)


def restore_link(*, actor: Actor, sandbox: Sandbox, first: Identity, second: Identity) -> None:
    """Let a cut link join again, as one last seen when it was. Raises `LinkUnknown`."""
    await_graphs(sandbox)
    link = _get_link(sandbox, first, second)
    if link.cut_at is None:
        raise Conflict("The link is not cut.", code="link_not_cut")
    _change(sandbox, link, cut_at=None, by_a=True, by_b=True)
    _resettle(sandbox, link, Held(round(link.last_seen.timestamp() * 1000)))
    _record(actor, sandbox, "identity_link.restored", link)


def _get_link(sandbox: Sandbox, first: Identity, second: Identity) -> IdentityLink:
    a, b = sorted(get_identity(sandbox, identity).pk for identity in (first, second))
    link = IdentityLink.objects.for_sandbox(sandbox).filter(a=a, b=b).first()
    if link is None:
        raise LinkUnknown(f"{first.value} and {second.value} were never seen together.")
    return link


def _change(sandbox: Sandbox, link: IdentityLink, **values: object) -> None:
    IdentityLink.objects.for_sandbox(sandbox).filter(a=link.a, b=link.b).update(**values)


def _resettle(sandbox: Sandbox, link: IdentityLink, held: Held | None) -> None:
    rules = linking_rules(sandbox)
    again = refill(sandbox, [link.a, link.b], rules)
    stitched = resettle(sandbox, {**again, (link.a, link.b): held}, rules, timezone.now())
    hand_over_regrouped(sandbox, stitched)


def _record(actor: Actor, sandbox: Sandbox, action: str, link: IdentityLink) -> None:
    """Write down which link was changed, by numbers: the trail outlives an erased person."""
    owner = IdentityRow.objects.for_sandbox(sandbox).get(pk=link.a).profile
    audit.record(
        actor=actor,
        action=action,
        target=owner,
        after={"identities": [link.a, link.b]},
        sandbox=sandbox,
    )
