"""What the probe does with its rows: it counts them where a rollback uncounts them."""

from django.db import connection

from cdp.queue import Claim
from cdp.tenancy import usage
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox, UsageCounter
from cdp.tenancy.scope import bypass, scope

ACTOR = Actor.system("probe")
SLOWLY = "SELECT pg_sleep(0.01)"  # so that a kill often finds a transaction open


def count_rows(claim: Claim) -> None:
    """Count the rows in two transactions: those seen, which may be more, and those done."""
    with scope(claim.sandbox, ACTOR):
        usage.count(claim.sandbox, {("probe.seen", ""): len(claim.items)})
    with scope(claim.sandbox, ACTOR), connection.cursor() as cursor:
        usage.count(claim.sandbox, {("probe.done", ""): len(claim.items)})
        cursor.execute(SLOWLY)
        claim.finish()
        cursor.execute(SLOWLY)


def count_round() -> None:
    """Count one round, in the oldest sandbox there is."""
    sandbox = Sandbox.objects.order_by("pk").first()
    if sandbox:
        with scope(sandbox, ACTOR):
            usage.count(sandbox, {("probe.rounds", ""): 1})


def counted(name: str) -> int:
    """Return a counter over all sandboxes."""
    with bypass():
        return sum(UsageCounter.unscoped.filter(name=name).values_list("amount", flat=True))
