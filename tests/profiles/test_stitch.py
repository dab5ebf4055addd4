"""The stored graphs against the pure function of everything that was sent."""

from datetime import UTC, datetime
from importlib import import_module
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import bypass, scope
from cdp.tenancy.services.organizations import create_organization
from profiles.identity.rules import Identity, make_rules
from profiles.models import Identity as IdentityRow
from profiles.models import IdentityLink, Profile
from profiles.stitching.forgetting import forget
from profiles.stitching.locks import take_graphs
from profiles.stitching.sightings import Sighting, Sightings
from profiles.stitching.stitch import stitch
from tests.profiles.stitching import NAMESPACES, histories, rules, whole

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ME = Actor.system("tests")
ANYTHING = make_rules(NAMESPACES)


def sandbox_of_luma():
    luma = create_organization(actor=ME, name="Luma", tenant_namespace="luma")
    return Sandbox.objects.get(organization=luma, name="prod")


def send(sandbox, history, rules=ANYTHING):
    sightings = Sightings()
    for place, (together, at) in enumerate(history):
        sightings.see(together, Sighting(at, "ds_1", f"record {place}"))
    with scope(sandbox, ME):
        take_graphs(sandbox)
        return stitch(sandbox, sightings, rules, NOW)


def stored_graphs(sandbox):
    graphs = {}
    for row in IdentityRow.objects.for_sandbox(sandbox):
        graphs.setdefault(row.profile_id, set()).add(Identity(row.namespace, row.value))
    return {profile: frozenset(members) for profile, members in graphs.items()}


def assert_whole(sandbox):
    """Every identity has a standing profile, every standing profile an identity, its founder.

    A profile names its identities, and of one that counts as clear, every link joins.
    """
    standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False)
    owned = dict(IdentityRow.objects.for_sandbox(sandbox).values_list("id", "profile_id"))
    assert set(owned.values()) == set(standing.values_list("id", flat=True))
    assert all(owned[p.founder] == p.id for p in standing)
    for profile in Profile.objects.for_sandbox(sandbox):
        assert profile.members == sorted(k for k, own in owned.items() if own == profile.id)
    unclear = {
        owned[end]
        for link in IdentityLink.objects.for_sandbox(sandbox)
        if not (link.by_a and link.by_b) or owned[link.a] != owned[link.b]
        for end in (link.a, link.b)
    }
    assert unclear.isdisjoint(standing.filter(clear=True).values_list("id", flat=True))


@given(
    history=histories, rules=rules, order=st.randoms(use_true_random=False), size=st.integers(1, 9)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_stored_graphs_are_those_of_all_that_was_sent(history, rules, order, size):
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT one_example")
    try:
        sandbox = sandbox_of_luma()
        shuffled = list(history)
        order.shuffle(shuffled)
        for start in range(0, len(shuffled), size):
            send(sandbox, shuffled[start : start + size], rules)
        with scope(sandbox, ME):
            assert set(stored_graphs(sandbox).values()) == whole(history, rules)
            assert_whole(sandbox)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT one_example")


def test_a_merge_keeps_the_older_profile_and_names_the_one_that_vanished():
    sandbox = sandbox_of_luma()
    sarah, tablet, phone = (Identity("CRM", "s"), Identity("ECID", "t"), Identity("ECID", "p"))
    first = send(sandbox, [({sarah, tablet}, 1)])
    second = send(sandbox, [({phone}, 2)])
    older, younger = (
        first.profile_of[first.numbers[sarah]],
        second.profile_of[second.numbers[phone]],
    )

    merged = send(sandbox, [({sarah, phone}, 3)])

    assert set(merged.profile_of.values()) == {older}
    assert merged.vanished == {younger: older}
    assert merged.rehomed == {second.numbers[phone]: older}
    assert merged.regrouped == {older}


def updates_of(table: str) -> tuple[int, int]:
    """Return how many rows were updated, and how many of them on their page; counts only grow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_get_xact_tuples_updated(%s::regclass),"
            " pg_stat_get_xact_tuples_hot_updated(%s::regclass)",
            [table, table],
        )
        return cursor.fetchone()


def test_a_merge_writes_no_index_anew():
    sandbox = sandbox_of_luma()
    sarah, tablet, phone = (Identity("CRM", "s"), Identity("ECID", "t"), Identity("ECID", "p"))
    send(sandbox, [({sarah, tablet}, 1), ({phone}, 2)])
    before = [updates_of(table) for table in ("profiles_identity", "profiles_profile")]

    send(sandbox, [({sarah, phone}, 3)])

    after = [updates_of(table) for table in ("profiles_identity", "profiles_profile")]
    for (updated, on_their_page), (then, then_on_their_page) in zip(after, before, strict=True):
        assert updated - then == on_their_page - then_on_their_page > 0


def test_a_profile_is_another_one_without_an_identity_that_is_forgotten():
    sandbox = sandbox_of_luma()
    sarah, tablet, phone = (Identity("CRM", "s"), Identity("ECID", "t"), Identity("ECID", "p"))
    sent = send(sandbox, [({sarah}, 1), ({sarah, tablet, phone}, 2)])
    [profile] = set(sent.profile_of.values())

    with scope(sandbox, ME):
        take_graphs(sandbox)
        forgotten = forget(sandbox, [sent.numbers[phone]], ANYTHING, NOW)

    assert (forgotten.stitched.regrouped, forgotten.gone) == ({profile}, frozenset())
    with scope(sandbox, ME):
        assert stored_graphs(sandbox) == {profile: {sarah, tablet}}
        assert_whole(sandbox)


def test_profiles_of_before_learn_who_their_members_are():
    sandbox = sandbox_of_luma()
    migration = import_module("profiles.migrations.0008_members_of_profiles")
    history = [({Identity("CRM", f"{n}"), Identity("ECID", f"{n}")}, n) for n in range(3)]
    send(sandbox, history)
    send(sandbox, [({Identity("ECID", "0"), Identity("ECID", "1")}, 9)])
    with scope(sandbox, ME):
        Profile.objects.for_sandbox(sandbox).update(members=[])

    with bypass(), connection.schema_editor() as editor:
        migration.write_members(None, editor)

    with scope(sandbox, ME):
        assert_whole(sandbox)


def test_a_link_remembers_when_and_where_it_was_seen():
    sandbox = sandbox_of_luma()
    sarah, phone = Identity("CRM", "s"), Identity("ECID", "p")
    sightings = Sightings()
    for at, dataset in [(5_000, "ds_web"), (9_000, "ds_web"), (1_000, "ds_crm")]:
        sightings.see({sarah, phone}, Sighting(at, dataset, f"at {at}"))
        with scope(sandbox, ME):
            stitch(sandbox, sightings, ANYTHING, NOW)

    with scope(sandbox, ME):
        link = IdentityLink.objects.for_sandbox(sandbox).get()
    assert (link.first_seen.second, link.last_seen.second) == (1, 9)
    assert (link.datasets, link.record) == (["ds_crm", "ds_web"], "at 9000")


@pytest.mark.parametrize("people", [1, 30])
def test_a_batch_costs_as_many_statements_for_one_person_as_for_many(
    people, django_assert_max_num_queries
):
    sandbox = sandbox_of_luma()
    history = [({Identity("CRM", f"{n}"), Identity("ECID", f"{n}")}, n) for n in range(people)]
    send(sandbox, history)
    again = [(together | {Identity("Email", str(at))}, at + 100) for together, at in history]

    with django_assert_max_num_queries(16):
        send(sandbox, again)


@pytest.mark.parametrize(("people", "reads"), [(2, 0), (6, 2)])
def test_graphs_are_read_only_if_something_may_stand_against_their_joining(people, reads):
    sandbox = sandbox_of_luma()
    few = make_rules(NAMESPACES, limit=5)
    phone = Identity("ECID", "p")
    send(sandbox, [({Identity("CRM", f"{n}")}, n) for n in range(people)], few)

    with CaptureQueriesContext(connection) as captured:
        send(sandbox, [({phone, Identity("CRM", f"{n}")}, 10 + n) for n in range(people)], few)

    read = [
        q
        for q in captured
        if "SELECT a, b" in q["sql"] or "own.crowd\nFROM profiles_profile" in q["sql"]
    ]
    assert len(read) == reads
    with scope(sandbox, ME):
        assert len(max(stored_graphs(sandbox).values(), key=len)) == min(people + 1, 5)
        assert_whole(sandbox)


def test_a_shared_cookie_stays_bounded_in_store():
    sandbox = sandbox_of_luma()
    shared = Identity("ECID", "kiosk")
    history = [({shared, Identity("CRM", f"{n:03}")}, n) for n in range(120)]

    for few in (history[:60], history[60:]):
        send(sandbox, few)

    with scope(sandbox, ME):
        kiosk = IdentityRow.objects.for_sandbox(sandbox).get(namespace="ECID").pk
        links = IdentityLink.objects.for_sandbox(sandbox)
        kept = links.filter(a=kiosk, by_a=True).count() + links.filter(b=kiosk, by_b=True).count()
        assert kept == 50
        assert max(map(len, stored_graphs(sandbox).values())) == 50
        assert_whole(sandbox)
        times = list(links.order_by("last_seen").values_list("last_seen", flat=True))
    assert all(a <= b for a, b in pairwise(times))
