"""Evaluating a whole sandbox in one shared scan.

The scan finds who differs from what is written down; the store compares with its
bitmaps, so only differences come out. Those profiles are then evaluated like changed
ones: what happened to them while the scan ran is seen as well, and arrivals of
events need not wait for more than one slice.
"""

from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.enums import EvaluationKind
from segments.evaluation.few import evaluate_few
from segments.evaluation.rules import RuleBook, rule_book, stored_membership
from segments.language.sql.parameters import Parameters
from segments.models import Segment
from segments.services.memberships import Change
from segments.services.settling import settle

_SYSTEM = Actor.system("segments.evaluate")

_SIZES = """
UPDATE segments_segment AS segment SET size = given.size, evaluated_at = %s
FROM unnest(%s, %s) AS given(id, size)
WHERE segment.sandbox_id = %s AND segment.id = given.id
"""


def evaluate_everybody(sandbox: Sandbox) -> list[Change]:
    """Bring every membership of the sandbox up to date; return what changed."""
    with scope(sandbox, _SYSTEM):
        book = rule_book(sandbox)
    if not book.rules:
        return []
    settle(sandbox)  # the bitmaps must know what has been decided
    differing = [profile for block in _differing(sandbox, book) for profile in block]
    changes = evaluate_few(sandbox, differing, kind=EvaluationKind.FULL)
    settle(sandbox)
    write_sizes(sandbox)
    return changes


def write_sizes(sandbox: Sandbox) -> None:
    """Write the number of members of every segment down."""
    counted = client.fetch("segments", "sizes", sandbox=sandbox)
    sizes = {row["segment_id"]: row["size"] for row in counted}
    with scope(sandbox, _SYSTEM):
        ids = list(Segment.objects.for_sandbox(sandbox).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(
                _SIZES, [timezone.now(), ids, [sizes.get(key, 0) for key in ids], sandbox.pk]
            )


def _differing(sandbox: Sandbox, book: RuleBook) -> Iterator[list[int]]:
    """Yield the profiles whose segments are not those written down, block by block."""
    statement = book.scan(timezone.now())
    parameters = Parameters()
    held = ", ".join(
        f"if({stored_membership(rule.id, parameters)}, [toUInt16({place})], [])"
        for place, rule in enumerate(book.rules)
    )
    # The names of our own parameters must not meet those of the scan.
    values = {f"held_{name}": value for name, value in parameters.values.items()}
    held = held.replace("{v", "{held_v")
    text = f"""SELECT profile_id FROM ({statement.text})
WHERE places != arrayConcat(emptyArrayUInt16(), {held})"""
    blocks = client.stream(text, sandbox=sandbox, params={**statement.parameters, **values})
    for block in blocks:
        yield [profile for (profile,) in block]
