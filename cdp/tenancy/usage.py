"""Usage counters: how much each sandbox uses, per day and subject."""

from collections.abc import Mapping

from django.db import connection
from django.utils import timezone
from orjson import dumps

from cdp.tenancy.models import Sandbox

_ADD = """
INSERT INTO tenancy_usagecounter AS counter (sandbox_id, day, name, subject, amount)
SELECT %s, %s, name, subject, amount
FROM jsonb_to_recordset(%s::jsonb) AS given(name text, subject text, amount bigint)
ORDER BY name, subject
ON CONFLICT (sandbox_id, day, name, subject)
DO UPDATE SET amount = counter.amount + excluded.amount
"""


def count(sandbox: Sandbox, amounts: Mapping[tuple[str, str], int]) -> None:
    """Add amounts to today's counters, keyed by (name, subject), in one statement.

    Call it from batches, not from requests: the counter's row stays locked until commit.
    """
    rows = [{"name": n, "subject": s, "amount": a} for (n, s), a in amounts.items() if a]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [sandbox.pk, timezone.now().date(), dumps(rows).decode()])
