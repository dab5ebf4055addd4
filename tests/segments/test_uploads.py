from datetime import timedelta

import pytest

from cdp.queue import drain
from cdp.tenancy.sandboxes import handlers
from cdp.tenancy.scope import scope
from profiles.identity.rules import Identity as Named
from profiles.models import Identity, Profile
from segments.evaluation import log
from segments.models import Segment, UploadRow
from segments.payload import payload_of, rows_on
from tests.segments.shop import ACTOR, open_shop
from tests.segments.test_compositions import compose, mail, result, who
from tests.segments.test_evaluation import published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

COLUMNS = {
    "identities": [{"column": "email", "namespace": "Email"}],
    "attributes": [{"column": "score", "type": "number", "labels": ["C5"]}, {"column": "tier"}],
}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


def make(api, name: str = "From the CRM", **values) -> str:
    made = api.post("/api/v1/segment-uploads/", {"name": name, **COLUMNS, **values})
    assert made.status_code == 201, made.json()
    return made.json()["id"]


def send(api, key: str, text: str, **values) -> dict:
    opened = api.post(f"/api/v1/segment-uploads/{key}/batches/", values)
    assert opened.status_code == 201, opened.json()
    at = opened.headers["Location"]
    body = text.encode()
    api.generic("PUT", f"{at}files/people.csv", body, content_type="application/octet-stream")
    assert api.post(f"{at}complete/").status_code == 202
    drain()
    return api.get(at).json()


def csv(*names: str, tier: str = "gold") -> str:
    rows = [f"{mail(name)},{number}.5,{tier}" for number, name in enumerate(names)]
    return "\n".join(["email,score,tier", *rows])


def known(shop, *names: str) -> None:
    for name in names:
        shop.person(mail(name))


@pytest.mark.acceptance("A-52")
def test_the_people_of_a_file_are_members_and_nobody_is_made_up(api, shop):
    known(shop, "ada", "ben", "cleo")
    key = make(api)

    batch = send(api, key, csv("ada", "ben", "zoe"))

    assert (batch["state"], batch["stored_records"], batch["dataset_id"]) == ("success", 3, None)
    assert who(shop, key) == {"ada", "ben"}
    shown = api.get(f"/api/v1/segments/{key}/").json()
    assert (shown["origin"], shown["state"], shown["size"]) == ("upload", "published", 2)
    assert (shown["rule"], shown["text"]) == (None, None)
    with scope(shop.sandbox, ACTOR):
        assert Profile.objects.for_sandbox(shop.sandbox).count() == 3


def test_whoever_becomes_known_later_is_a_member_at_once(api, shop):
    known(shop, "ada")
    key = make(api)
    send(api, key, csv("ada", "zoe"))
    assert who(shop, key) == {"ada"}

    known(shop, "zoe")

    assert who(shop, key) == {"ada", "zoe"}
    job = api.post("/api/v1/segment-jobs/", {}).json()
    drain()
    job = api.get(f"/api/v1/segment-jobs/{job['id']}/").json()
    assert (job["entered"], job["exited"]) == (0, 0)


def test_a_new_file_takes_the_place_of_the_old_one_or_comes_beside_it(api, shop):
    known(shop, "ada", "ben", "cleo")
    key = make(api)
    send(api, key, csv("ada"))
    send(api, key, csv("ben"), mode="add")
    assert who(shop, key) == {"ada", "ben"}

    send(api, key, csv("cleo"))

    assert who(shop, key) == {"cleo"}
    with scope(shop.sandbox, ACTOR):
        rows = UploadRow.objects.for_sandbox(shop.sandbox).values_list("value", flat=True)
        assert list(rows) == [mail("cleo")]
    parts = api.get(f"/api/v1/segment-uploads/{key}/batches/").json()
    assert [(part["mode"], part["over"], part["rows"]) for part in parts] == [
        ("replace", False, 1),
        ("add", True, 1),
        ("replace", True, 1),
    ]
    sizes = api.get(f"/api/v1/segments/{key}/history/").json()["sizes"]
    assert [size["size"] for size in sizes] == [1, 2, 1]


def test_a_file_with_a_header_alone_empties_the_segment(api, shop):
    known(shop, "ada")
    key = make(api)
    send(api, key, csv("ada"))

    send(api, key, "email,score,tier\n")

    assert who(shop, key) == set()


def test_members_leave_when_their_rows_run_out(api, shop, clock):
    clock.move(seconds=1)
    known(shop, "ada")
    key = make(api, ttl_days=2)
    send(api, key, csv("ada"))
    clock.move(days=2, milliseconds=-1)
    drain()
    assert who(shop, key) == {"ada"}

    clock.move(milliseconds=1)
    drain()

    assert who(shop, key) == set()
    with scope(shop.sandbox, ACTOR):
        assert not UploadRow.objects.for_sandbox(shop.sandbox).exists()


def test_a_longer_life_is_given_to_rows_that_are_there(api, shop, clock):
    clock.move(seconds=1)
    known(shop, "ada")
    key = make(api, ttl_days=2)
    send(api, key, csv("ada"))

    api.patch(f"/api/v1/segment-uploads/{key}/", {"ttl_days": 5})
    clock.move(days=4)
    drain()
    assert who(shop, key) == {"ada"}
    clock.move(days=1)
    drain()

    assert who(shop, key) == set()


def test_bad_rows_are_told_and_fail_the_batch_unless_so_many_are_allowed(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    text = csv("ada") + "\nnull,1,gold\n,2,gold\n" + f"{mail('ben')},many,gold\n"

    failed = send(api, key, text)
    assert (failed["state"], failed["failed_records"]) == ("failed", 3)
    assert {each["code"] for each in failed["errors"]} == {
        "identity_blocked",
        "identity_missing",
        "wrong_type",
    }
    assert who(shop, key) == set()
    taken = send(api, key, text, partial_percent=80)

    assert (taken["state"], taken["stored_records"]) == ("success", 1)
    assert who(shop, key) == {"ada"}
    lines = b"".join(api.get(f"/api/v1/batches/{taken['id']}/errors/").streaming_content)
    assert lines.count(b"\n") == 3


def test_a_file_without_a_column_that_is_named_is_refused(api, shop):
    key = make(api)

    batch = send(api, key, f"email,tier\n{mail('ada')},gold\n")

    assert batch["state"] == "failed"
    assert "'score'" in batch["reason"]


def test_an_upload_is_asked_for_in_rules_and_compositions(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    child = published(shop, {"type": "segment", "id": key}, "Child")
    part = {"type": "exclude", "of": {"type": "rule", "text": "true"}}
    made = compose(api, "Others", {"of": {**part, "without": {"type": "segment", "id": key}}})
    assert who(shop, result(made)) == {"ada", "ben"}

    send(api, key, csv("ada", "zoe"))
    assert (who(shop, child.pk), who(shop, result(made))) == ({"ada"}, {"ben"})
    known(shop, "zoe")

    assert (who(shop, child.pk), who(shop, result(made))) == ({"ada", "zoe"}, {"ben"})


def test_merged_people_are_one_member_and_parted_ones_as_the_rows_say(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    send(api, key, csv("ben"))
    assert who(shop, key) == {"ben"}

    both = {"Email": [{"id": mail("ada"), "primary": True}, {"id": mail("ben")}]}
    shop.event(mail("ada"), "web.webpagedetails.pageViews", identityMap=both)
    assert who(shop, key) == {"ada", "ben"}
    assert len(api.get(f"/api/v1/segments/{key}/members/").json()["results"]) == 1
    with scope(shop.sandbox, ACTOR):
        [profile] = Profile.objects.for_sandbox(shop.sandbox).filter(vanished=False)
    cut = api.post(
        f"/api/v1/profiles/prf_{profile.pk}/cut-link/",
        {"first": {"namespace": "Email", "value": mail("ada")},
         "second": {"namespace": "Email", "value": mail("ben")}},
    )  # fmt: skip
    assert cut.status_code == 200, cut.json()
    drain()

    assert who(shop, key) == {"ben"}


def test_what_the_file_says_beside_is_kept_and_the_newest_wins(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    send(api, key, csv("ada", "ben"))
    send(api, key, csv("ben", tier="blue"), mode="add")

    with scope(shop.sandbox, ACTOR):
        segment = Segment.objects.for_sandbox(shop.sandbox).get(pk=key)
        owners = dict(Identity.objects.for_sandbox(shop.sandbox).values_list("value", "profile_id"))
        known_of = payload_of(segment, owners.values())
    assert known_of == {
        owners[mail("ada")]: {"score": 0.5, "tier": "gold"},
        owners[mail("ben")]: {"score": 0.5, "tier": "blue"},
    }
    listed = api.get(f"/api/v1/segments/{key}/members/?attributes=true").json()
    assert listed["attributes"] == {
        f"prf_{owners[mail('ada')]}": {"score": 0.5, "tier": "gold"},
        f"prf_{owners[mail('ben')]}": {"score": 0.5, "tier": "blue"},
    }


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"identities": [{"column": "a", "namespace": "Emial"}]}, "identities.0.namespace", "unknown_namespace"),
        ({"attributes": [{"column": "a"}, {"column": "b", "name": "a"}]}, "attributes.1.name", "twice"),
        ({"ttl_days": 0}, "ttl_days", "min_value"),
        ({"identities": []}, "identities", "min_length"),
    ],
)  # fmt: skip
def test_an_upload_that_cannot_be_read_is_refused_and_not_made(api, shop, values, path, code):
    answer = api.post("/api/v1/segment-uploads/", {"name": "Odd", **COLUMNS, **values})

    assert answer.status_code == 422 or answer.status_code == 400, answer.json()
    assert path in [each["path"] for each in answer.json()["errors"]], answer.json()
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()


def test_an_upload_has_no_rule_to_change_and_is_deleted_with_its_rows(api, shop):
    known(shop, "ada")
    key = make(api)
    send(api, key, csv("ada"))

    refused = api.patch(f"/api/v1/segments/{key}/", {"text": "true"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert who(shop, key) == {"ada"}
    assert api.delete(f"/api/v1/segments/{key}/").status_code == 204
    drain()

    assert who(shop, key) == set()
    with scope(shop.sandbox, ACTOR):
        assert not UploadRow.objects.for_sandbox(shop.sandbox).exists()


def test_an_inactive_upload_keeps_its_members_until_it_is_published_again(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    send(api, key, csv("ada"))
    api.post(f"/api/v1/segments/{key}/deactivate/")

    send(api, key, csv("ben"))
    assert who(shop, key) == {"ada"}
    api.post(f"/api/v1/segments/{key}/publish/")
    drain()

    assert who(shop, key) == {"ben"}


def test_an_erased_person_is_in_no_row_and_a_new_file_does_not_bring_her_back(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    batch = send(api, key, csv("ada", "ben"))
    with scope(shop.sandbox, ACTOR):
        [(name, rows)] = rows_on(shop.sandbox, [], [Named("Email", mail("ada"))])
        assert (name, list(rows)) == (
            "uploads",
            [
                {
                    "segment": key,
                    "namespace": "Email",
                    "value": mail("ada"),
                    "attributes": {"score": 0.5, "tier": "gold"},
                }
            ],
        )

    user = {
        "key": "a ticket",
        "actions": ["delete"],
        "identities": [{"namespace": "Email", "value": mail("ada")}],
    }
    asked = api.post("/api/v1/privacy-jobs/", {"regulation": "gdpr", "users": [user]})
    assert asked.status_code == 202, asked.json()
    drain()

    [done] = asked.json()["results"]
    told = api.get(f"/api/v1/privacy-jobs/{done['id']}/").json()["receipts"]["segments"]
    assert told == {
        "memberships": 1, "rechecks": 0, "uploaded rows": 1, "uploaded files": 1,
    }  # fmt: skip
    assert who(shop, key) == {"ben"}
    with scope(shop.sandbox, ACTOR):
        rows = UploadRow.objects.for_sandbox(shop.sandbox).values_list("value", flat=True)
        assert list(rows) == [mail("ben")]
    assert api.get(f"/api/v1/batches/{batch['id']}/files/").json()["results"] == []
    send(api, key, csv("ada", "ben"))
    with scope(shop.sandbox, ACTOR):
        rows = UploadRow.objects.for_sandbox(shop.sandbox).values_list("value", flat=True)
        assert list(rows) == [mail("ben")]


def test_a_reset_sandbox_has_no_segments_and_its_neighbour_keeps_its_own(api, shop):
    known(shop, "ada")
    key = make(api)
    send(api, key, csv("ada"))
    compose(api, "Composed", {"of": {"type": "segment", "id": key}})
    own = handlers()["segments"]
    with scope(shop.sandbox, ACTOR):
        assert own.count(shop.sandbox) == {
            "segments": 2,
            "compositions": 1,
            "evaluations": own.count(shop.sandbox)["evaluations"],
            "upload_rows": 1,
        }

        own.reset(shop.sandbox)

        assert set(own.count(shop.sandbox).values()) == {0}
    assert log.sizes(shop.sandbox) == {}


def test_the_time_of_a_row_is_that_of_its_batch(api, shop, clock):
    clock.move(seconds=1)
    known(shop, "ada")
    key = make(api, ttl_days=3)
    send(api, key, csv("ada"))

    [part] = api.get(f"/api/v1/segment-uploads/{key}/batches/").json()

    assert part["ends_at"] == text_of(clock.now + timedelta(days=3))


def text_of(moment) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_a_label_that_is_not_there_is_refused_with_its_column(api, shop):
    columns = [{"column": "tier"}, {"column": "score", "labels": ["C5", "NOPE"]}]
    body = {"name": "New", "identities": COLUMNS["identities"], "attributes": columns}

    refused = api.post("/api/v1/segment-uploads/", body)

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["attributes.1.labels"]
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()
