"""Telling a visitor's own browser or app which segments it is in, in the answer to its events.

Only segments that are meant for it. The event store is not asked: memberships as they
were written last, the profile, and the events of this very request are what there is.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from cdp.datasets.edge.request import EdgeRequest
from cdp.datasets.records import Accepted
from cdp.errors import Unavailable
from cdp.tenancy.models import Sandbox
from profiles.computed.placing import with_computed
from profiles.identity.merge import Policy
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity
from profiles.identity.values import IdentityRefused, normalise
from profiles.selectors.people import Person, people_of_identities
from profiles.selectors.rules import default_policy, namespace_catalogue
from segments import selectors
from segments.evaluation.at_edge import EdgeRule, Visitor, decide_all, edge_rule
from segments.evaluation.rules import RuleBook, rule_book
from segments.language.clock import to_millis
from segments.language.facts import Event, Facts

COOKIE: Final = "cdp_segments"
COOKIE_DAYS: Final = 30
KEPT_SECONDS: Final = 1.0
MOST_IDENTITIES: Final = 10
_MOST_KEPT: Final = 1_000


class EdgeLate(Unavailable):
    """The visitor's segments could not be read in the time that a page waits."""

    code = "segments_late"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is the same for all visitors of a sandbox."""

    told: frozenset[str]
    book: RuleBook
    rules: tuple[EdgeRule, ...]
    policy: Policy
    namespaces: NamespaceCatalogue


def visitor_segments(sandbox: Sandbox, asked: EdgeRequest) -> list[dict[str, Any]]:
    """Return the handles that tell a visitor's segments; none if no segment is meant for it.

    Somebody who has refused to be known, or to see what is made for them, is told of
    no segment. Raises `EdgeLate`.
    """
    seconds: float = settings.EDGE_SECONDS
    deadline = time.monotonic() + seconds
    known = _remembered(sandbox)
    if not known.told:
        return []
    with _within(seconds):
        person = None if asked.refuses_collection else _find(sandbox, asked, known)
    if asked.refuses_collection or _refuses(person, known.policy):
        return _handles([])
    visitor = _visitor(sandbox, asked, person, known)
    inside = decide_all(known.rules, visitor, partial(_is_past, deadline))
    return _handles(sorted(inside & known.told))


_books: dict[int, tuple[float, _Known]] = {}


def _remembered(sandbox: Sandbox) -> _Known:
    """Return what is known of the sandbox's rules; asked for often, forgotten after a second."""
    now = time.monotonic()
    kept = _books.get(sandbox.pk)
    if kept is not None and kept[0] > now:
        return kept[1]
    if len(_books) >= _MOST_KEPT:
        _books.clear()
    known = _read(sandbox)
    _books[sandbox.pk] = (now + KEPT_SECONDS, known)
    return known


def _read(sandbox: Sandbox) -> _Known:
    told = frozenset(selectors.list_on_edge(sandbox).values_list("pk", flat=True))
    book = rule_book(sandbox, told or {""}, with_children=False)
    rules = tuple(edge_rule(rule, book.words) for rule in book.rules)
    return _Known(told, book, rules, default_policy(sandbox), namespace_catalogue(sandbox))


def _find(sandbox: Sandbox, asked: EdgeRequest, known: _Known) -> Person | None:
    """Return the person who asks: whom the page names first of all, else whom its cookie does."""
    identities = _identities(asked, known.namespaces)
    found = people_of_identities(sandbox, identities) if identities else []
    return next((person for person in found if person), None)


def _identities(asked: EdgeRequest, namespaces: NamespaceCatalogue) -> list[Identity]:
    named = [
        (not item.get("primary"), code, item["id"])
        for code, items in asked.identities.items()
        if code != "ECID"
        for item in items
    ]
    given = [(code, value) for _, code, value in sorted(named, key=lambda one: one[0])]
    found = []
    for code, value in [*given[: MOST_IDENTITIES - 1], ("ECID", asked.ecid)]:
        namespace = namespaces.find(code)
        if namespace is not None:
            try:
                found.append(Identity(namespace.code, normalise(namespace, value)))
            except IdentityRefused:  # stands for nobody, and ingestion says so
                continue
    return found


def _visitor(sandbox: Sandbox, asked: EdgeRequest, person: Person | None, known: _Known) -> Visitor:
    events = [_event(record) for record in asked.accepted if record.profile]
    clock = known.book.clock(timezone.now())
    if person is None:
        identity_map = {**asked.identities, "ECID": [{"id": asked.ecid}]}
        return Visitor(Facts({"identityMap": identity_map}, events), clock, held=None)
    tenant = sandbox.organization.tenant_namespace
    document = with_computed(person.attributes(known.policy), person.computed, tenant)
    identity_map = {}
    for own in person.identities:
        identity_map.setdefault(own.identity.namespace, []).append({"id": own.identity.value})
    held = {key for key, state in person.segments.items() if state["status"] == "realized"}
    facts = Facts({**document, "identityMap": identity_map}, events, frozenset(held))
    return Visitor(facts, clock, held)


def _event(record: Accepted) -> Event:
    kind = record.record.get("eventType", "")
    return Event(to_millis(record.timestamp), kind, record.event_id, record.record)


def _refuses(person: Person | None, policy: Policy) -> bool:
    """Tell whether a person has said that nothing is to be made for them."""
    if person is None:
        return False
    value: Any = person.attributes(policy)
    for name in ("consents", "personalize", "content", "val"):
        value = value.get(name) if isinstance(value, dict) else None
    return bool(value == "n")


def _handles(inside: list[str]) -> list[dict[str, Any]]:
    """Tell of segments in both forms: a cookie that the SDK writes, and a list for servers."""
    cookie = {"name": COOKIE, "value": ",".join(inside), "ttlDays": COOKIE_DAYS}
    told = [{"id": key, "namespace": "ups"} for key in inside]
    look_up = {"type": "profileLookup", "alias": "segments", "segments": told}
    return [
        {"type": "activation:push", "payload": [{"type": "cookie", "spec": cookie}]},
        {"type": "activation:pull", "payload": [look_up]},
    ]


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Have the database give up what takes longer. Raises `EdgeLate`."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            yield
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        raise EdgeLate("The visitor's segments could not be read in time.") from error


def _is_past(deadline: float) -> bool:
    return time.monotonic() > deadline
