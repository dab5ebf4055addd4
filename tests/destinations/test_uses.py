"""What an activation does with data, as governance sees it."""

import pytest

from cdp.tenancy.scope import scope
from destinations.uses import standing_uses, use_of
from governance.evaluation import Node
from tests.destinations.world import (
    ACTOR,
    activate,
    fresh,
    label_field,
    make_customers,
    make_events,
    make_segment,
    make_webhook,
)

URL = "https://receiver.example/hook"
VISITED = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "web.webPageDetails.name", "of": "event"},
        "right": "Home",
    },
}


@pytest.fixture
def connection(sandbox):
    """A connection to a webhook."""
    return make_webhook(sandbox, URL)


def _use(activation):
    with scope(activation.sandbox, ACTOR):
        return use_of(fresh(activation))


def _summary(use):
    return {
        (used.path, used.part.value, tuple(sorted(used.labels))): [
            [(node.type, node.name) for node in route] for route in used.routes
        ]
        for used in use.fields
    }


def test_fields_of_rule_mapping_and_identity_come_by_their_own_ways(sandbox, customers, connection):
    label_field(customers.schema, "person.name", "C2")
    label_field(customers.schema, "personalEmail.address", "I1")
    activation = activate(connection, make_segment(sandbox))

    use = _use(activation)

    end = ("destination", connection.name)
    source, policy = ("dataset", "Customers"), ("merge_policy", "Newest value")
    assert use.subject == Node("activation", activation.pk, connection.name)
    assert use.marketing_actions == {"emailTargeting"}
    assert _summary(use) == {
        ("person.name.firstName", "rule", ("C2",)): [[source, policy, ("segment", "Runners"), end]],
        ("person.name.firstName", "mapping", ("C2",)): [[source, policy, end]],
        ("personalEmail.address", "identity", ("I1",)): [[source, policy, end]],
    }


def test_labels_of_a_dataset_and_of_its_fields_hold_for_that_dataset_alone(
    sandbox, customers, connection
):
    make_customers(
        sandbox,
        "Partner",
        labels=["C11"],
        field_labels={"person.name.firstName": ["C5"]},
    )
    activation = activate(connection, make_segment(sandbox), mapping=[])

    found = {
        (used.routes[0][0].name, tuple(sorted(used.labels))) for used in _use(activation).fields
    }

    assert found == {("Customers", ()), ("Partner", ("C11", "C5"))}
    [partner] = [used for used in _use(activation).fields if used.labels]
    assert partner.routes[0][0].labels == {"C11"}


def test_a_segment_brings_its_own_labels_and_those_of_segments_it_asks_for(
    sandbox, customers, connection
):
    make_events(sandbox)
    inner = make_segment(sandbox, "Visitors", rule=VISITED, labels=["C7"])
    outer = make_segment(
        sandbox,
        "All of them",
        rule={"type": "segment", "id": inner.pk},
        references=[inner.pk],
        labels=["C6"],
    )

    use = _use(activate(connection, outer, mapping=[]))

    way = [("segment", "Visitors"), ("segment", "All of them"), ("destination", connection.name)]
    assert _summary(use) == {
        ("All of them", "rule", ("C6",)): [way[1:]],
        ("Visitors", "rule", ("C7",)): [way],
        ("web.webPageDetails.name", "rule", ()): [
            [("dataset", "Web"), ("merge_policy", "Newest value"), *way]
        ],
    }


def test_standing_uses_are_the_live_ones_that_pass_what_has_changed(sandbox, customers):
    first, second = make_webhook(sandbox, URL), make_webhook(sandbox, URL)
    runners, walkers = make_segment(sandbox), make_segment(sandbox, "Walkers")
    live = activate(first, runners)
    other = activate(second, walkers)
    activate(second, runners, enabled=False)

    def standing(changed):
        with scope(sandbox, ACTOR):
            return [use.subject.id for use in standing_uses(sandbox, changed)]

    assert standing(None) == [live.pk, other.pk]
    assert standing(Node("segment", runners.pk, "")) == [live.pk]
    assert standing(Node("destination", second.pk, "")) == [other.pk]
    assert standing(Node("dataset", customers.pk, "")) == [live.pk, other.pk]
    assert standing(Node("dataset", "ds_other", "")) == []
