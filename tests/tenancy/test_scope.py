"""Scopes: whose rows are open, and for how long."""

import pytest
from django.db import DatabaseError, connection, transaction

from cdp.tenancy.errors import SandboxNotSaid, ScopeCrossed
from cdp.tenancy.models import UsageCounter
from cdp.tenancy.scope import bypass, current_scope, organization_scope, scope, survive
from tests.factories import ACTOR

DAY = "2026-01-01"


def add(sandbox, name="row"):
    return UsageCounter.objects.create(sandbox=sandbox, day=DAY, name=name)


def visible():
    return sorted(UsageCounter.unscoped.values_list("name", flat=True))


@pytest.mark.django_db(transaction=True)
def test_rows_are_there_within_the_scope_alone(sandbox, other_sandbox):
    with scope(sandbox, ACTOR):
        add(sandbox, "mine")
        assert visible() == ["mine"]

    assert visible() == []
    with scope(other_sandbox, ACTOR):
        assert visible() == []
    with bypass():
        assert visible() == ["mine"]
    assert visible() == []


@pytest.mark.django_db(transaction=True)
def test_a_row_cannot_be_written_into_another_sandbox(sandbox, other_sandbox):
    with pytest.raises(DatabaseError, match="row-level security"), scope(sandbox, ACTOR):
        add(other_sandbox)

    with bypass():
        assert visible() == []


@pytest.mark.django_db(transaction=True)
def test_a_row_cannot_be_moved_or_reached_in_another_sandbox(sandbox, other_sandbox):
    with scope(other_sandbox, ACTOR):
        theirs = add(other_sandbox, "theirs")
    with scope(sandbox, ACTOR):
        mine = add(sandbox, "mine")
        assert UsageCounter.unscoped.filter(pk=theirs.pk).update(name="stolen") == 0
        assert UsageCounter.unscoped.filter(pk=theirs.pk).delete()[0] == 0
        with pytest.raises(DatabaseError), transaction.atomic():
            UsageCounter.unscoped.filter(pk=mine.pk).update(sandbox=other_sandbox)

    with bypass():
        assert visible() == ["mine", "theirs"]


@pytest.mark.django_db(transaction=True)
def test_a_scope_that_fails_leaves_neither_rows_nor_settings(sandbox):
    with pytest.raises(ZeroDivisionError), scope(sandbox, ACTOR):
        add(sandbox)
        raise ZeroDivisionError

    assert visible() == []
    assert current_scope() is None
    with bypass():
        assert visible() == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_visible_once_the_transaction_has_committed(sandbox):
    seen = []
    with scope(sandbox, ACTOR):
        add(sandbox)
        transaction.on_commit(lambda: seen.append(visible()))

    assert seen == [[]]


def test_a_scope_within_its_own_is_a_savepoint(sandbox):
    with scope(sandbox, ACTOR):
        add(sandbox, "kept")
        with pytest.raises(ZeroDivisionError), scope(sandbox, ACTOR):
            add(sandbox, "lost")
            raise ZeroDivisionError
        assert visible() == ["kept"]


def test_a_scope_within_anothers_is_a_programming_error(sandbox, other_sandbox):
    with scope(sandbox, ACTOR):
        with pytest.raises(ScopeCrossed), scope(other_sandbox, ACTOR):
            pass
        with pytest.raises(ScopeCrossed), organization_scope(sandbox.organization, ACTOR):
            pass


def test_a_transaction_that_goes_on_after_a_scope_sees_nothing_more(sandbox):
    with transaction.atomic():
        with scope(sandbox, ACTOR):
            add(sandbox)
        assert visible() == []


def test_the_bypass_ends_within_a_transaction_that_goes_on(sandbox):
    with transaction.atomic():
        with scope(sandbox, ACTOR):
            add(sandbox)
        with bypass():
            assert visible() == ["row"]
            with bypass():
                assert visible() == ["row"]
            assert visible() == ["row"]
        assert visible() == []


@pytest.mark.django_db(transaction=True)
def test_what_must_survive_is_written_although_the_scope_rolls_back(sandbox):
    with pytest.raises(ZeroDivisionError), scope(sandbox, ACTOR):
        add(sandbox, "lost")
        survive(lambda: add(sandbox, "kept") and None)
        raise ZeroDivisionError

    with bypass():
        assert visible() == ["kept"]


def test_a_query_that_names_no_sandbox_cannot_be_made(db):
    for question in (
        UsageCounter.objects.all,
        lambda: UsageCounter.objects.filter(name="x"),
        UsageCounter.objects.count,
    ):
        with pytest.raises(SandboxNotSaid):
            question()


@pytest.mark.parametrize("value", ["", "0", "-1", "99999999999", "7 OR 1=1"])
def test_no_value_of_the_setting_opens_what_it_should_not(sandbox, value):
    with scope(sandbox, ACTOR):
        add(sandbox)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cdp.sandbox_id', %s, true)", [value])
        try:
            with transaction.atomic():
                cursor.execute("SELECT count(*) FROM tenancy_usagecounter")
                assert cursor.fetchone() == (0,)
        except DatabaseError:
            pass  # refused, which is as good
        cursor.execute("SELECT set_config('cdp.sandbox_id', '', true)")
