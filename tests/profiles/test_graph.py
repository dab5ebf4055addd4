from itertools import pairwise

import pytest
from hypothesis import given

from profiles.identity.graph import Graph, Link, resolve
from profiles.identity.rules import Identity, Setting, make_rules
from tests.profiles.stitching import NAMESPACES, histories, rules, whole

ANYTHING = make_rules(NAMESPACES)
ONE_CRM = make_rules(NAMESPACES, [Setting("CRM", 1, unique=True)])


def crm(value):
    return Identity("CRM", value)


def email(value):
    return Identity("Email", value)


def ecid(value):
    return Identity("ECID", value)


def idfa(value):
    return Identity("IDFA", value)


def names(*identities):
    return dict(enumerate(identities))


def graphs_of(links, names, rules):
    found = resolve([Link(*link) for link in links], names, rules)
    return {frozenset(names[m] for m in graph.members) for graph in found}


def test_linked_identities_are_one_graph_and_the_others_stand_alone():
    people = names(crm("sarah"), email("s@luma.com"), ecid("1"), ecid("2"))

    found = resolve([Link(0, 1, 5), Link(1, 2, 6)], people, ANYTHING)

    assert found == [Graph((0, 1, 2)), Graph((3,))]


def test_on_a_shared_device_the_last_one_to_log_in_owns_the_cookie():
    people = names(crm("jane"), crm("john"), ecid("1"))

    found = graphs_of([(0, 2, 1), (1, 2, 2)], people, ONE_CRM)

    assert found == {frozenset({crm("john"), ecid("1")}), frozenset({crm("jane")})}


def test_when_the_first_one_logs_in_again_the_cookie_goes_back():
    people = names(crm("jane"), crm("john"), ecid("1"))

    found = graphs_of([(0, 2, 3), (1, 2, 2)], people, ONE_CRM)

    assert found == {frozenset({crm("jane"), ecid("1")}), frozenset({crm("john")})}


def test_an_email_typed_by_two_people_stays_with_the_last_one():
    people = names(crm("jane"), email("test@"), crm("john"))

    found = graphs_of([(0, 1, 3), (1, 2, 4)], people, ONE_CRM)

    assert found == {frozenset({crm("jane")}), frozenset({crm("john"), email("test@")})}


def test_without_a_unique_namespace_a_shared_email_makes_one_graph():
    people = names(crm("jane"), email("test@"), crm("john"))

    assert graphs_of([(0, 1, 3), (1, 2, 4)], people, ANYTHING) == {frozenset(people.values())}


def test_a_tie_goes_to_the_link_of_the_higher_namespace():
    people = names(email("a"), ecid("1"), crm("jane"), crm("john"))
    links = [(0, 2, 7), (0, 1, 7), (1, 3, 7)]

    found = graphs_of(links, people, ONE_CRM)

    assert found == {frozenset({crm("jane"), email("a")}), frozenset({crm("john"), ecid("1")})}


def test_the_oldest_cookies_leave_a_full_graph_and_the_old_email_stays():
    cookies = [ecid(f"{n:03}") for n in range(60)]
    people = names(crm("sarah"), email("s@luma.com"), *cookies)
    links = [(0, 1, 1)] + [(0, n, n) for n in range(2, 62)]

    found = graphs_of(links, people, ANYTHING)

    full = frozenset({crm("sarah"), email("s@luma.com"), *cookies[-48:]})
    assert found == {full, *(frozenset({cookie}) for cookie in cookies[:12])}


def test_cookies_leave_before_devices_and_devices_before_person_ids():
    people = names(crm("sarah"), *[email(f"{n}@") for n in range(3)], idfa("d"), ecid("c"))
    links = [(0, n, n) for n in range(1, 6)]  # the cookie is the newest

    def kept(limit):
        found = graphs_of(links, people, make_rules(NAMESPACES, limit=limit))
        return {i.namespace for i in next(g for g in found if crm("sarah") in g)}

    assert kept(6) == {"CRM", "Email", "IDFA", "ECID"}
    assert kept(5) == {"CRM", "Email", "IDFA"}
    assert kept(4) == {"CRM", "Email"}


def test_a_cookie_on_very_many_people_keeps_the_newest_of_them():
    people = names(ecid("shared"), *[crm(f"{n:05}") for n in range(5_000)])

    found = resolve([Link(0, n, n) for n in range(1, 5_001)], people, ANYTHING)

    assert max(len(graph.members) for graph in found) == 50
    assert next(g.members for g in found if 0 in g.members)[1:] == tuple(range(4_952, 5_001))


def test_a_long_chain_is_cut_into_graphs_no_larger_than_the_limit():
    people = names(*[email(f"{n:04}") for n in range(1_000)])

    found = resolve([Link(a, b, b) for a, b in pairwise(range(1_000))], people, ANYTHING)

    assert max(len(graph.members) for graph in found) == 50
    assert sum(len(graph.members) for graph in found) == 1_000


def naive(history, rules):  # noqa: C901 - said at length on purpose
    """The rules said again without any of the short cuts: every walk over all links."""
    numbers, seen = {}, {}
    for together, at in history:
        own = sorted(numbers.setdefault(i, len(numbers)) for i in sorted(together))
        for i, a in enumerate(own):
            for b in own[i + 1 :]:
                seen[a, b] = max(at, seen.get((a, b), at))
    who = {number: identity for identity, number in numbers.items()}

    def group(pair):
        return max(rules.class_of(who[n].namespace) for n in pair)

    def order(pair):
        first, second = sorted((who[pair[0]], who[pair[1]]))
        ranks = sorted((rules.rank_of(first.namespace), rules.rank_of(second.namespace)))
        return (-seen[pair], *ranks, first, second)

    def keeps(node, pair):
        own = [p for p in seen if node in p and group(p) == group(pair)]
        return pair in sorted(own, key=order)[: rules.limit]

    def walk(pairs, nodes, too_many):
        parts = [{n} for n in nodes]
        for a, b in pairs:
            one, two = (next(p for p in parts if n in p) for n in (a, b))
            single = [who[n].namespace for n in one | two if who[n].namespace in rules.unique]
            if one is not two and len(set(single)) == len(single) and not too_many(one | two):
                parts = [p for p in parts if p is not one and p is not two] + [one | two]
        return parts

    def class_too_many(part):
        classes = [rules.class_of(who[n].namespace) for n in part]
        return any(classes.count(c) > rules.limit for c in classes)

    kept = sorted((p for p in seen if keeps(p[0], p) and keeps(p[1], p)), key=order)
    result = set()
    for crowd in walk(kept, who, class_too_many):
        own = sorted((p for p in kept if set(p) <= crowd), key=lambda p: (group(p), *order(p)))
        parts = [crowd]
        if len(crowd) > rules.limit:
            parts = walk(own, crowd, lambda part: len(part) > rules.limit)
        result |= {frozenset(who[n] for n in part) for part in parts}
    return result


@given(history=histories, rules=rules)
def test_the_graphs_are_those_of_the_rules_followed_literally(history, rules):
    assert whole(history, rules) == naive(history, rules)


@pytest.mark.parametrize("count", [1, 2])
def test_one_identity_alone_is_a_graph_of_its_own(count):
    people = names(*[ecid(str(n)) for n in range(count)])

    assert resolve([], people, ANYTHING) == [Graph((n,)) for n in range(count)]
