"""Evaluating profiles in hand: those that changed, and those whose time has come."""

from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.evaluation.rules import RuleBook, rule_book
from segments.language.sql.scan import Few
from segments.services.memberships import Change, lock_memberships, write_memberships

PROFILES_AT_ONCE = 5_000
_SYSTEM = Actor.system("segments.evaluate")

_IDENTITIES = "SELECT id FROM profiles_identity WHERE sandbox_id = %s AND profile_id = ANY(%s)"


def evaluate_few(sandbox: Sandbox, profiles: Iterable[int], *, kind: str) -> list[Change]:
    """Bring the memberships of these profiles up to date; return what changed.

    In slices, each a transaction of its own: reading and writing stand under one
    lock, so no older answer can overwrite a newer one. A profile that has been
    merged away leaves every segment.
    """
    changes: list[Change] = []
    waiting = iter(sorted(set(profiles)))
    while slice_ := list(islice(waiting, PROFILES_AT_ONCE)):
        with scope(sandbox, _SYSTEM):
            lock_memberships(sandbox)
            changes += _evaluate(sandbox, slice_, kind)
    return changes


def _evaluate(sandbox: Sandbox, profiles: Sequence[int], kind: str) -> list[Change]:
    book = rule_book(sandbox)
    if not book.rules:
        return []
    now = timezone.now()
    members = dict.fromkeys(profiles, frozenset[str]())
    statement = book.scan(now, Few(profiles, _identities(sandbox, profiles)))
    rows = client.fetch_text(
        statement.text, sandbox=sandbox, params=statement.parameters, budget=client.STREAMING
    )
    members.update(_found(book, rows))
    return write_memberships(
        sandbox, evaluation=uuid4(), kind=kind, at=now, members=members, asked=book.ids
    )


def _found(book: RuleBook, rows: Iterable[tuple[int, list[int]]]) -> dict[int, frozenset[str]]:
    return {profile: book.named(places) for profile, places in rows}


def _identities(sandbox: Sandbox, profiles: Sequence[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES, [sandbox.pk, list(profiles)])
        return [key for (key,) in cursor.fetchall()]
