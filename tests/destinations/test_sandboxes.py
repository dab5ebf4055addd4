"""What becomes of destinations and governance in time, and when a sandbox is reset."""

from cdp.tenancy.sandboxes import handlers
from cdp.tenancy.scope import scope
from destinations.services import tidying
from governance.selectors import get_policy
from governance.services.catalogue import create_label
from governance.services.policies import change_policy, create_policy, stored_core_policy
from tests.destinations.world import (
    ACTOR,
    activate,
    deliveries,
    make_customers,
    make_folder,
    make_segment,
    runs,
    tell,
    work,
)


def test_a_reset_takes_what_the_sandbox_added_and_nothing_of_its_neighbours(sandbox, other_sandbox):
    for place in (sandbox, other_sandbox):
        make_customers(place)
        segment = make_segment(place)
        activate(make_folder(place), segment)
        tell(segment, entered=[1, 2])
        work()
        with scope(place, ACTOR):
            create_label(sandbox=place, actor=ACTOR, name="own", title="Own")
            create_policy(
                sandbox=place,
                actor=ACTOR,
                name="Own",
                marketing_actions=["analytics"],
                deny={"label": "own"},
            )
            core = stored_core_policy(get_policy(place, "pol_core_analytics"))
            change_policy(actor=ACTOR, policy=core, status="enabled")

    with scope(sandbox, ACTOR):
        for name in ("destinations", "governance"):
            handlers()[name].reset(sandbox)

    assert _counts(sandbox) == {
        "destination_connections": 0,
        "activations": 0,
        "deliveries": 0,
        "labels": 0,
        "marketing_actions": 0,
        "policies": 0,
    }
    assert _counts(other_sandbox) == {
        "destination_connections": 1,
        "activations": 1,
        "deliveries": 2,
        "labels": 1,
        "marketing_actions": 0,
        "policies": 1,
    }
    with scope(sandbox, ACTOR):
        assert get_policy(sandbox, "pol_core_analytics").status == "disabled"


def _counts(sandbox):
    with scope(sandbox, ACTOR):
        return {
            name: count
            for app in ("destinations", "governance")
            for name, count in handlers()[app].count(sandbox).items()
        }


def test_what_was_sent_is_forgotten_after_ninety_days(sandbox, customers, clock, monkeypatch):
    monkeypatch.setattr(tidying, "AT_ONCE", 2)
    segment = make_segment(sandbox)
    activate(make_folder(sandbox), segment)
    for days in (0, 30):
        clock.move(days=days)
        tell(segment, entered=range(1, 6))
        work()
    before = [len(deliveries(sandbox)), len(runs(sandbox))]

    clock.move(days=61)
    tidying.tidy()

    assert before == [10, 2]
    assert [len(deliveries(sandbox)), len(runs(sandbox))] == [5, 1]
