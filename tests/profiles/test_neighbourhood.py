from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from profiles.identity.rules import Identity, Setting, make_rules
from tests.profiles.stitching import NAMESPACES, Store, histories, rules, whole

SARAH, JOHN = Identity("CRM", "sarah"), Identity("CRM", "john")
TABLET, PHONE = Identity("ECID", "tablet"), Identity("ECID", "phone")


def taken(history, rules, cut_into=1):
    store = Store(rules)
    for start in range(0, len(history), cut_into):
        store.take(history[start : start + cut_into])
    return store


@given(
    history=histories, rules=rules, order=st.randoms(use_true_random=False), size=st.integers(1, 9)
)
def test_order_and_batching_do_not_matter(history, rules, order, size):
    expected = whole(history, rules)

    shuffled = list(history)
    order.shuffle(shuffled)

    assert taken(shuffled, rules, size).graphs() == expected


@given(history=histories, rules=rules, size=st.integers(1, 4))
def test_after_any_sequence_graphs_hold_the_rules(history, rules, size):
    store = taken(history, rules, size)

    for graph in store.graphs():
        single = Counter(i.namespace for i in graph if i.namespace in rules.unique)
        assert len(graph) <= rules.limit
        assert all(count == 1 for count in single.values())
    assert sum(map(len, store.graphs())) == len(store.names)


@given(history=histories, rules=rules)
def test_an_identity_keeps_at_most_its_newest_links_of_each_class(history, rules):
    store = taken(history, rules)

    kept = Counter()
    for (a, b), held in store.links.items():
        if held.by_a:
            kept[a] += 1
        if held.by_b:
            kept[b] += 1
    assert max(kept.values(), default=0) <= 3 * rules.limit


@given(history=histories, more=histories, rules=rules)
def test_a_replay_changes_nothing(history, more, rules):
    store = taken(history + more, rules, 3)
    before = store.graphs()

    store.take(history)

    assert store.graphs() == before


def test_cutting_the_link_that_merged_restores_the_former_graphs():
    store = taken([({SARAH, TABLET}, 1), ({JOHN, PHONE}, 2)], make_rules(NAMESPACES))
    before = store.graphs()
    store.take([({SARAH, PHONE}, 3)])
    assert store.graphs() == {frozenset({SARAH, TABLET, JOHN, PHONE})}

    store.cut(SARAH, PHONE)

    assert store.graphs() == before


def test_one_read_is_enough_where_nothing_was_ever_refused():
    store = taken([({SARAH, TABLET}, 1)], make_rules(NAMESPACES))
    store.loads = 0

    store.take([({SARAH, PHONE}, 2)])

    assert store.loads == 1


def test_a_refusal_is_looked_at_again_when_the_neighbour_may_now_join():
    unique = make_rules(NAMESPACES, [Setting("CRM", 1, unique=True)])
    store = taken([({SARAH, TABLET}, 1), ({JOHN, TABLET}, 2)], unique)
    assert store.graphs() == {frozenset({SARAH}), frozenset({JOHN, TABLET})}

    store.cut(JOHN, TABLET)

    assert store.graphs() == {frozenset({JOHN}), frozenset({SARAH, TABLET})}
