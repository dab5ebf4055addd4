import pytest
from django.utils import timezone

from cdp.queue import drain
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from profiles.models import Identity, Profile
from segments.evaluation import log
from segments.models import Composition, Segment
from tests.segments.shop import ACTOR, Shop, open_shop
from tests.segments.test_evaluation import published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

BUY, VIEW, CART = "commerce.purchases", "commerce.productViews", "commerce.productListAdds"
POINTS = "loyalty.points"


def did(kind: str) -> dict:
    return {
        "type": "events",
        "where": {
            "type": "compare",
            "operator": "=",
            "left": {"field": "eventType"},
            "right": kind,
        },
    }


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


def mail(name: str) -> str:
    return f"{name}@luma.example"


def who(shop: Shop, segment_id: str) -> set[str]:
    """Return the first names of a segment's members, by the profiles' rows."""
    with scope(shop.sandbox, ACTOR):
        members = [
            member
            for row in Profile.objects.for_sandbox(shop.sandbox)
            if row.segments.get(segment_id, {}).get("status") == "realized"
            for member in row.members
        ]
        rows = Identity.objects.for_sandbox(shop.sandbox).filter(pk__in=members, namespace="Email")
        return {row.value.partition("@")[0] for row in rows}


def compose(api, name: str, definition: dict, *, publish: bool = True) -> dict:
    made = api.post("/api/v1/compositions/", {"name": name, "definition": definition})
    assert made.status_code == 201, made.json()
    if publish:
        answer = api.post(f"/api/v1/compositions/{made.json()['id']}/publish/")
        assert answer.status_code == 200, answer.json()
        drain()
    return made.json()


def result(made: dict, branch: str = "all") -> str:
    [key] = [each["id"] for each in made["results"] if each["branch"] == branch]
    return key


def segment(key: str) -> dict:
    return {"type": "segment", "id": key}


@pytest.fixture
def parents(shop):
    """Buyers are ada and ben, viewers ben and cleo."""
    for name, kinds in {"ada": [BUY], "ben": [BUY, VIEW], "cleo": [VIEW], "dan": [CART]}.items():
        for kind in kinds:
            shop.event(mail(name), kind)
    return published(shop, did(BUY), "Buyers").pk, published(shop, did(VIEW), "Viewers").pk


@pytest.mark.acceptance("A-52")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("union", {"ada", "ben", "cleo"}),
        ("intersection", {"ben"}),
        ("in_one_only", {"ada", "cleo"}),
        ("exclude", {"ada"}),
    ],
)
def test_segments_are_joined_and_excluded(api, shop, parents, how, expected):
    buyers, viewers = map(segment, parents)
    part = {"type": how, "of": [buyers, viewers]}
    if how == "exclude":
        part = {"type": how, "of": buyers, "without": viewers}

    made = compose(api, "Composed", {"of": part})

    assert who(shop, result(made)) == expected
    assert api.get(f"/api/v1/segments/{result(made)}/").json()["size"] == len(expected)


def test_a_composition_of_sets_follows_its_parents_at_once(api, shop, parents):
    buyers, viewers = map(segment, parents)
    rule = {"type": "rule", "text": f'xEvent[eventType = "{CART}"]'}
    part = {"type": "exclude", "of": {"type": "union", "of": [buyers, rule]}, "without": viewers}
    made = compose(api, "Composed", {"of": part})
    assert who(shop, result(made)) == {"ada", "dan"}

    shop.event(mail("ada"), VIEW)
    shop.event(mail("eve"), CART)

    assert who(shop, result(made)) == {"dan", "eve"}
    [said] = api.get(f"/api/v1/compositions/{made['id']}/explain/").json()["results"]
    assert said["methods"][0]["possible"] is True
    assert said["segments"] == sorted(parents)
    assert said["fields_used"] == ["eventType"]


def test_ranks_keep_the_first_and_ties_go_to_the_older_profile(api, shop):
    for name, points in {"ada": 10, "ben": 30, "cleo": 20, "dan": 20, "eve": None}.items():
        fields = {} if points is None else {"loyalty": {"points": points}}
        shop.person(mail(name), **fields)
    everybody = {"type": "rule", "text": "true"}
    rank = {"by": POINTS, "order": "descending", "limit": 2}

    first = compose(api, "First", {"of": everybody, "rank": rank})
    last = compose(
        api, "Last", {"of": everybody, "rank": {**rank, "order": "ascending", "limit": 9}}
    )

    assert who(shop, result(first)) == {"ben", "cleo"}
    assert who(shop, result(last)) == {"ada", "ben", "cleo", "dan"}
    [said] = api.get(f"/api/v1/compositions/{first['id']}/explain/").json()["results"]
    possible = {each["method"]: each["possible"] for each in said["methods"]}
    assert possible == {"streaming": False, "batch": True, "edge": False}
    assert said["fields_used"] == [POINTS]


def test_whoever_no_longer_belongs_leaves_a_rank_at_once_and_its_place_is_filled_later(api, shop):
    for name, points in {"ada": 10, "ben": 30, "cleo": 20}.items():
        shop.person(mail(name), loyalty={"points": points})
    few = {"type": "rule", "text": f"{POINTS} < 100"}
    rank = {"by": POINTS, "order": "descending", "limit": 2}
    made = compose(api, "First", {"of": few, "rank": rank})
    assert who(shop, result(made)) == {"ben", "cleo"}

    shop.person(mail("ben"), loyalty={"points": 500})
    assert who(shop, result(made)) == {"cleo"}
    api.post("/api/v1/segment-jobs/", {})
    drain()

    assert who(shop, result(made)) == {"ada", "cleo"}


def test_a_rank_of_ranked_people_is_found_in_one_evaluation(api, shop):
    for name, points in {"ada": 10, "ben": 30, "cleo": 20, "dan": 40}.items():
        shop.person(mail(name), loyalty={"points": points})
    top = {"by": POINTS, "order": "descending", "limit": 3}
    first = compose(api, "Three", {"of": {"type": "rule", "text": "true"}, "rank": top})
    low = {"by": POINTS, "order": "ascending", "limit": 1}
    second = compose(api, "Lowest of three", {"of": segment(result(first)), "rank": low})
    child = published(shop, {"type": "segment", "id": result(second)}, "Child")
    assert who(shop, result(second)) == {"cleo"}

    shop.person(mail("eve"), loyalty={"points": 35})
    api.post("/api/v1/segment-jobs/", {"segments": [result(first)]})
    drain()

    assert who(shop, result(first)) == {"ben", "dan", "eve"}
    assert who(shop, result(second)) == who(shop, child.pk) == {"ben"}


SHARES = [
    {"key": "a", "name": "Half", "percent": 50},
    {"key": "b", "name": "A third", "percent": 33.33},
]


def test_shares_are_disjoint_and_stay_as_the_population_grows(api, shop):
    for number in range(40):
        shop.person(mail(f"p{number}"))
    everybody = {"type": "rule", "text": "true"}
    made = compose(api, "Test", {"of": everybody, "split": {"by": "share", "branches": SHARES}})
    a, b = result(made, "a"), result(made, "b")
    before = who(shop, a), who(shop, b)
    assert before[1]
    assert not before[0] & before[1]
    assert 10 <= len(before[0]) <= 30

    for number in range(40, 60):
        shop.person(mail(f"p{number}"))
    streamed = who(shop, a), who(shop, b)
    job = api.post("/api/v1/segment-jobs/", {}).json()
    drain()

    assert before[0] < streamed[0]
    assert before[1] < streamed[1]
    assert (who(shop, a), who(shop, b)) == streamed
    assert api.get(f"/api/v1/segment-jobs/{job['id']}/").json()["entered"] == 0
    other = compose(api, "Other", {"of": everybody, "split": {"by": "share", "branches": [
        {"key": "a", "name": "Other half", "percent": 50}]}})  # fmt: skip
    assert who(shop, result(other, "a")) != streamed[0]


def test_a_larger_share_keeps_those_who_are_in_it(api, shop):
    for number in range(40):
        shop.person(mail(f"p{number}"))
    everybody = {"type": "rule", "text": "true"}
    made = compose(api, "Test", {"of": everybody, "split": {"by": "share", "branches": SHARES}})
    before = who(shop, result(made, "a"))

    larger = [{**SHARES[0], "percent": 75}]
    definition = {"of": everybody, "split": {"by": "share", "branches": larger}}
    changed = api.patch(f"/api/v1/compositions/{made['id']}/", {"definition": definition})
    drain()

    assert [each["branch"] for each in changed.json()["results"]] == ["a"]
    assert result(changed.json(), "a") == result(made, "a")
    assert before < who(shop, result(made, "a"))
    assert api.get(f"/api/v1/segments/{result(made, 'b')}/").status_code == 404


def test_people_are_split_by_an_attribute_and_change_branch_with_it(api, shop):
    for name, gender in {"ada": "female", "ben": "male", "cleo": "female"}.items():
        shop.person(mail(name), person={"gender": gender})
    shop.person(mail("dan"))
    branches = [
        {"key": "women", "name": "Women", "values": ["female"]},
        {"key": "others", "name": "Others"},
    ]
    split = {"by": "attribute", "attribute": "person.gender", "branches": branches}
    made = compose(api, "By gender", {"of": {"type": "rule", "text": "true"}, "split": split})
    women, others = result(made, "women"), result(made, "others")
    assert (who(shop, women), who(shop, others)) == ({"ada", "cleo"}, {"ben", "dan"})

    shop.person(mail("cleo"), person={"gender": "male"})

    assert (who(shop, women), who(shop, others)) == ({"ada"}, {"ben", "cleo", "dan"})


def test_merged_people_count_once_and_parted_ones_each(api, shop, parents):
    buyers, viewers = map(segment, parents)
    made = compose(api, "Both", {"of": {"type": "intersection", "of": [buyers, viewers]}})
    assert who(shop, result(made)) == {"ben"}

    both = {"Email": [{"id": mail("ada"), "primary": True}, {"id": mail("cleo")}]}
    shop.event(mail("ada"), CART, identityMap=both)

    assert who(shop, result(made)) == {"ada", "ben", "cleo"}
    size = api.get(f"/api/v1/segments/{result(made)}/members/").json()["results"]
    assert len(size) == 2
    job = api.post("/api/v1/segment-jobs/", {}).json()
    drain()
    job = api.get(f"/api/v1/segment-jobs/{job['id']}/").json()
    assert (job["entered"], job["exited"]) == (0, 0)


@pytest.mark.parametrize(
    ("definition", "path", "code"),
    [
        ({"of": {"type": "segment", "id": "seg_none"}}, "definition", "unknown_segment"),
        ({"of": {"type": "rule", "text": "loyalty.pints > 1"}}, "definition/of/text/left", "unknown_path"),
        ({"of": {"type": "rule", "text": "true"}, "rank": {"by": "person.gender", "order": "ascending", "limit": 1}}, "definition/rank/by", "no_order"),
        ({"of": {"type": "rule", "text": "true"}, "rank": {"by": "loyalty.pints", "order": "ascending", "limit": 1}}, "definition/rank/by", "unknown_path"),
        ({"of": {"type": "rule", "text": "true"}, "rank": {"by": POINTS, "order": "up", "limit": 1}}, "definition/rank/order", "shape"),
        ({"of": {"type": "rule", "text": "true"}, "split": {"by": "share", "branches": [{**SHARES[0], "percent": 70}, SHARES[1]]}}, "definition/split/branches", "too_much"),
        ({"of": {"type": "union", "of": [{"type": "segment", "id": "x"}]}}, "definition/of/of", "shape"),
        ({"of": {"type": "rule", "text": "true"}, "enrich": [{"dataset_id": "ds_none", "key": POINTS, "match": "a", "attributes": ["a"]}]}, "definition/enrich/0/dataset_id", "unknown_dataset"),
    ],
)  # fmt: skip
def test_a_composition_that_makes_no_sense_is_refused_with_the_place(
    api, shop, definition, path, code
):
    answer = api.post("/api/v1/compositions/", {"name": "Odd", "definition": definition})

    assert answer.status_code == 422, answer.json()
    assert (path, code) in [(each["path"], each["code"]) for each in answer.json()["errors"]]
    with scope(shop.sandbox, ACTOR):
        assert not Composition.objects.for_sandbox(shop.sandbox).exists()
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()


def test_a_composition_that_leads_back_to_itself_is_refused(api, shop, parents):
    buyers, viewers = map(segment, parents)
    made = compose(api, "Composed", {"of": buyers}, publish=False)
    part = {"type": "union", "of": [viewers, segment(result(made))]}

    answer = api.patch(f"/api/v1/compositions/{made['id']}/", {"definition": {"of": part}})

    assert (answer.status_code, answer.json()["code"]) == (422, "cycle")
    kept = api.get(f"/api/v1/compositions/{made['id']}/").json()
    assert (kept["definition"], kept["version"]) == ({"of": buyers}, 1)


def test_what_a_composition_is_built_of_and_results_in_is_kept(api, shop, parents):
    buyers, _ = parents
    made = compose(api, "Composed", {"of": segment(buyers)})
    child = published(shop, {"type": "segment", "id": result(made)}, "Child")
    route = f"/api/v1/compositions/{made['id']}"

    refused = [
        api.delete(f"/api/v1/segments/{buyers}/"),
        api.post(f"/api/v1/segments/{buyers}/deactivate/"),
        api.delete(f"/api/v1/segments/{result(made)}/"),
        api.patch(f"/api/v1/segments/{result(made)}/", {"text": "true"}),
        api.post(f"/api/v1/segments/{result(made)}/deactivate/"),
        api.delete(f"{route}/"),
        api.post(f"{route}/deactivate/"),
    ]

    codes = ["segment_in_use"] * 2 + ["wrong_state"] * 3 + ["segment_in_use"] * 2
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (409, code) for code in codes
    ]
    assert refused[0].json()["dependents"] == [
        {"type": "composition", "id": made["id"], "name": "Composed"}
    ]
    assert refused[5].json()["dependents"] == [{"type": "segment", "id": child.pk, "name": "Child"}]
    assert api.get(f"{route}/").json()["state"] == "published"
    assert who(shop, result(made)) == {"ada", "ben"}


def test_a_composition_lives_from_draft_to_frozen_to_deleted(api, shop, parents):
    buyers, _ = parents
    made = compose(api, "Composed", {"of": segment(buyers)}, publish=False)
    route = f"/api/v1/compositions/{made['id']}"
    shop.event(mail("eve"), BUY)
    assert who(shop, result(made)) == set()
    wrong = api.post(f"{route}/deactivate/")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_state")

    api.post(f"{route}/publish/")
    drain()
    assert who(shop, result(made)) == {"ada", "ben", "eve"}
    api.post(f"{route}/deactivate/")
    shop.event(mail("fay"), BUY)
    assert who(shop, result(made)) == {"ada", "ben", "eve"}
    assert api.get(f"{route}/").json()["results"][0]["state"] == "inactive"

    assert api.delete(f"{route}/").status_code == 204
    drain()
    assert who(shop, result(made)) == set()
    with scope(shop.sandbox, ACTOR):
        assert not Composition.objects.for_sandbox(shop.sandbox).exists()


def test_a_composition_of_what_is_not_published_is_not_published(api, shop, parents):
    draft = api.post("/api/v1/segments/", {"name": "Draft", "text": "true"}).json()["id"]
    made = compose(api, "Composed", {"of": segment(draft)}, publish=False)

    answer = api.post(f"/api/v1/compositions/{made['id']}/publish/")

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert "Draft" in answer.json()["detail"]
    assert api.get(f"/api/v1/compositions/{made['id']}/").json()["state"] == "draft"


def test_the_form_of_a_composition_is_published(api):
    answer = api.get("/api/v1/compositions/schema/").json()

    assert answer["title"] == "A composition of segments"
    assert set(answer["properties"]) == {"of", "rank", "enrich", "split"}


def test_an_evaluation_that_is_killed_before_a_rank_goes_on_with_it(api, shop, monkeypatch):
    for name, points in {"ada": 10, "ben": 30, "cleo": 20}.items():
        shop.person(mail(name), loyalty={"points": points})
    rank = {"by": POINTS, "order": "descending", "limit": 2}
    definition = {"of": {"type": "rule", "text": "true"}, "rank": rank}
    made = compose(api, "First", definition, publish=False)
    api.post(f"/api/v1/compositions/{made['id']}/publish/")
    write, asked = log.write_found, []

    def dying(sandbox, evaluation, found):
        asked.append(found.text)
        if len(asked) == 2:
            raise Killed
        write(sandbox, evaluation, found)

    monkeypatch.setattr(log, "write_found", dying)
    with pytest.raises(Killed):
        drain(["segments.evaluation-wanted"])
    with scope(shop.sandbox, ACTOR):
        items = QueueItem.objects.for_sandbox(shop.sandbox)
        items.update(claim=None, available_at=timezone.now())
    drain()

    based, ranked = asked[:2]
    assert based != ranked
    assert asked == [based, ranked, based, ranked]
    assert who(shop, result(made)) == {"ben", "cleo"}
    assert log.sizes(shop.sandbox) == {result(made): 2}


class Killed(BaseException):
    """What no handler catches."""
