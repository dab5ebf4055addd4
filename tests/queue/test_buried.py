import pytest

from cdp.errors import NotFound
from cdp.queue import Message, buried, publish_many, replay
from cdp.queue.buried import discard, list_buried
from cdp.queue.taking import take
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import scope


@pytest.fixture
def graves(sandbox, actor, subscribed):
    """The ids of three buried rows."""
    subscription = subscribed()
    with scope(sandbox, actor):
        publish_many(subscription.topic, [Message({"n": n}) for n in range(3)], sandbox=sandbox)
        claim = take(subscription)
        claim.bury(claim.items, "broken")
    return subscription, [f"item_{item.id}" for item in claim.items]


def test_buried_rows_are_listed_without_their_bodies(in_scope, graves, django_assert_num_queries):
    with django_assert_num_queries(1):
        listed = [(row.public_id, row.error) for row in list_buried(in_scope).order_by("pk")]

    assert listed == [(key, "broken") for key in graves[1]]


def test_replayed_rows_are_as_good_as_new(
    in_scope, actor, graves, monkeypatch, django_capture_on_commit_callbacks
):
    subscription, ids = graves
    woken = []
    monkeypatch.setattr(buried, "wake", woken.append)

    with django_capture_on_commit_callbacks(execute=True):
        assert replay(ids[:2], sandbox=in_scope, actor=actor) == 2
    claim = take(subscription)

    assert [(f"item_{item.id}", item.attempts) for item in claim.items] == [
        (key, 1) for key in ids[:2]
    ]
    assert woken == [subscription.topic]
    event = AuditEvent.objects.for_organization(in_scope.organization).latest("id")
    assert (event.action, event.after) == ("queue.replayed", {"items": ids[:2]})


@pytest.mark.parametrize("wrong", ["item_999999999", "item_", "item_x", "7", "item_" + "9" * 30])
def test_a_row_that_is_not_buried_stops_the_whole_replay(in_scope, actor, graves, wrong):
    _, ids = graves

    with pytest.raises(NotFound, match=wrong):
        replay([*ids, wrong], sandbox=in_scope, actor=actor)

    assert list_buried(in_scope).count() == 3


def test_rows_of_another_sandbox_cannot_be_replayed_or_discarded(
    other_sandbox, actor, graves, rows
):
    subscription, ids = graves

    for change in (replay, discard):
        with pytest.raises(NotFound), scope(other_sandbox, actor):
            change(ids, sandbox=other_sandbox, actor=actor)

    assert [bool(row.buried_at) for row in rows(subscription.topic)] == [True] * 3


def test_discarded_rows_are_gone(in_scope, actor, graves):
    _, ids = graves

    assert discard(ids[:1], sandbox=in_scope, actor=actor) == 1

    assert [row.public_id for row in list_buried(in_scope).order_by("pk")] == ids[1:]
    event = AuditEvent.objects.for_organization(in_scope.organization).latest("id")
    assert event.action == "queue.discarded"
