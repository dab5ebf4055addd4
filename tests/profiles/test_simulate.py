from profiles.identity.chain import chain
from profiles.identity.graph import Link
from profiles.identity.rules import Identity, Setting, check_settings, make_rules
from profiles.identity.simulate import Sighting, SimulatedLink, simulate
from tests.profiles.stitching import NAMESPACES

JANE, JOHN = Identity("CRM", "jane"), Identity("CRM", "john")
COOKIE = Identity("ECID", "1")
KNOWN = {n.code: n for n in NAMESPACES}


def test_a_simulation_tells_the_graphs_and_which_links_were_refused():
    rules = make_rules(NAMESPACES, [Setting("CRM", 1, unique=True)])

    found = simulate([Sighting((JOHN, COOKIE), 2), Sighting((JANE, COOKIE), 1)], rules)

    assert found.graphs == [(COOKIE, JOHN), (JANE,)]
    assert found.links == [
        SimulatedLink(COOKIE, JOHN, 2, accepted=True),
        SimulatedLink(JANE, COOKIE, 1, accepted=False),
    ]


def test_a_cookie_may_not_rank_above_a_person_id():
    problems = check_settings(KNOWN, [Setting("ECID", 1), Setting("CRM", 2)])

    assert [(p.index, p.code) for p in problems] == [(1, "priority_order")]


def test_settings_name_each_namespace_and_priority_once():
    settings = [Setting("CRM", 1), Setting("CRM", 1), Setting("Shoe", 2)]

    assert [(p.index, p.code) for p in check_settings(KNOWN, settings)] == [
        (1, "namespace_repeated"),
        (1, "priority_repeated"),
        (2, "namespace_unknown"),
    ]


def test_person_ids_then_devices_then_cookies_is_in_order():
    settings = [Setting("CRM", 1), Setting("Email", 2), Setting("IDFA", 3), Setting("ECID", 4)]

    assert check_settings(KNOWN, settings) == []


def test_the_chain_is_the_shortest_and_of_the_newest_links():
    links = [Link(1, 2, 1), Link(2, 4, 1), Link(1, 3, 5), Link(3, 4, 5), Link(4, 5, 1)]

    assert chain(links, 1, 5) == [Link(1, 3, 5), Link(3, 4, 5), Link(4, 5, 1)]
    assert chain(links, 5, 9) is None
