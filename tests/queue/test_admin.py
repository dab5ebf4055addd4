import pytest

from cdp.queue import Message, publish_many
from cdp.queue.buried import list_buried
from cdp.queue.taking import take
from cdp.tenancy.models import AuditEvent, Operator
from cdp.tenancy.scope import scope

ITEMS = "/admin/queue/queueitem/"


@pytest.fixture
def console(client, db):
    """The console, with an operator signed in."""
    client.force_login(Operator.objects.create_superuser("ops@example.com", "long enough, truly"))
    return client


@pytest.fixture
def graves(sandbox, actor, subscribed):
    """Two buried rows of three."""
    subscription = subscribed(batch=2)
    with scope(sandbox, actor):
        messages = [Message({"n": n}, body=b"{}") for n in range(3)]
        publish_many(subscription.topic, messages, sandbox=sandbox)
        claim = take(subscription)
        claim.bury(claim.items, "ValueError: poison")
    return [item.id for item in claim.items]


def test_the_list_shows_what_is_where_and_why(console, graves):
    page = console.get(ITEMS).content.decode()

    assert page.count("buried</td>") == 2
    assert page.count("waiting</td>") == 1
    assert page.count("ValueError: poison") == 2


def test_one_item_is_shown_without_its_body(console, graves):
    page = console.get(f"{ITEMS}{graves[0]}/change/").content.decode()

    assert "ValueError: poison" in page
    assert "Body" not in page


def test_chosen_items_are_replayed_in_the_operators_name(console, graves, sandbox, actor):
    answer = console.post(ITEMS, {"action": "replay", "_selected_action": graves}, follow=True)

    assert "2 items are on their way again." in answer.content.decode()
    with scope(sandbox, actor):
        assert not list_buried(sandbox).exists()
        event = AuditEvent.objects.for_organization(sandbox.organization).latest("id")
    assert (event.action, event.actor_kind) == ("queue.replayed", "operator")
