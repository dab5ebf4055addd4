"""Profiles, handed out."""

import csv
import gzip
import io
import json
import tracemalloc

import pyarrow.parquet as pq
import pytest

from cdp import queue
from cdp.datasets.models import Dataset
from cdp.datasets.services.writing import write_records
from cdp.errors import Unavailable
from cdp.jobs.models import Job
from cdp.tenancy.models import AuditEvent, Role, Sandbox
from cdp.tenancy.sandboxes import ErasedPerson
from cdp.tenancy.scope import bypass, organization_scope, scope
from governance.models import CorePolicyState
from profiles.exporting import rows as exported_rows
from profiles.exporting import run
from profiles.exporting.keeping import erase_person, expire_exports
from profiles.models import MergePolicy, Profile, ProfileExport
from profiles.registries import SegmentFacts, segment_facts
from tests.factories import api_client
from tests.profiles.test_sight import label
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
URL = "/api/v1/profile-exports/"
SARAH = {
    "_luma": {"crmId": "c-1", "tier": "bronze", "points": 120.5, "interests": ["yoga", "=1+1"]},
    "personalEmail": {"address": "sarah@luma.com"},
    "person": {"name": {"firstName": "Sarah", "lastName": "=Rose"}},
}
JOHN = {"_luma": {"crmId": "c-2", "points": 3.0}, "personalEmail": {"address": "john@luma.com"}}
WORK = ["jobs.run", "records.received", "batches.decided", "profiles.emptied"]


@pytest.fixture
def crm(sandbox):
    make_namespace(sandbox)
    return make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )


@pytest.fixture
def people(sandbox, crm):
    web = make_dataset(sandbox, "Web", events=True)
    send(sandbox, crm, [SARAH])
    send(sandbox, crm, [JOHN])
    bought = {"commerce": {"order": {"priceTotal": 9.0}}}
    send(sandbox, web, [
        event("1", at="2026-11-01T10:00:00Z", Email="sarah@luma.com", **bought),
        event("2", at="2026-11-03T10:00:00Z", Email="sarah@luma.com"),
        event("3", at="2026-11-04T10:00:00Z", ECID=ECIDS["phone"]),
    ])  # fmt: skip
    with scope(sandbox, ME):
        return list(Profile.objects.for_sandbox(sandbox).order_by("pk"))


def export(api, work=WORK, **asked):
    form = {} if asked.get("target") == "dataset" else {"format": "json_lines"}
    answer = api.post(URL, {**form, "marketing_actions": [], **asked})
    assert answer.status_code == 202, answer.json()
    queue.drain(work)
    return api.get(f"{URL}{answer.json()['id']}/").json()


def content(api, made):
    answer = api.get(f"{URL}{made['id']}/content/")
    assert answer.status_code == 200, answer.json()
    return b"".join(answer.streaming_content)


def lines(api, made):
    return [json.loads(line) for line in content(api, made).splitlines()]


def test_everybody_is_exported_as_json_lines(api, people):
    made = export(api, title="Everybody")

    sarah, john, visitor = lines(api, made)
    assert (made["state"], made["profiles"]) == ("complete", 3)
    assert made["size"] == len(content(api, made))
    assert sarah["attributes"] == SARAH
    assert sarah["identities"] == [
        {"namespace": "CRM", "value": "c-1"},
        {"namespace": "Email", "value": "sarah@luma.com"},
    ]
    assert john["attributes"] == JOHN
    assert (visitor["attributes"], visitor["segments"]) == ({}, {})
    assert [row["id"] for row in (sarah, john, visitor)] == [str(one) for one in people]


def test_chosen_fields_as_csv_with_formulas_made_harmless(api, people):
    made = export(
        api,
        format="csv",
        compression="gzip",
        fields=["person.name", "_luma.points", "_luma.interests"],
        parts=["attributes", "identities"],
    )

    answer = api.get(f"{URL}{made['id']}/content/")
    text = gzip.decompress(b"".join(answer.streaming_content)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert answer["Content-Disposition"] == f'attachment; filename="{made["id"]}.csv.gz"'
    assert list(rows[0]) == [
        "id", "created_at", "person.name.firstName", "person.name.lastName",
        "_luma.points", "_luma.interests", "identities",
    ]  # fmt: skip
    assert rows[0]["person.name.lastName"] == "'=Rose"
    assert rows[0]["_luma.points"] == "120.5"
    assert json.loads(rows[0]["_luma.interests"]) == ["yoga", "=1+1"]
    assert (rows[1]["person.name.firstName"], rows[2]["_luma.points"]) == ("", "")


def test_parquet_has_the_types_of_the_schema(api, people):
    made = export(
        api, format="parquet", fields=["_luma.points", "_luma.tier"], parts=["attributes"]
    )

    table = pq.read_table(io.BytesIO(content(api, made)))
    assert [str(field.type) for field in table.schema] == ["string", "string", "string", "double"]
    assert table.column("_luma.points").to_pylist() == [120.5, 3.0, None]


def test_events_come_along_the_newest_first(api, people):
    made = export(
        api, parts=["events"], events_since="2026-11-02T00:00:00Z", event_types=["web.pageViews"]
    )

    found = lines(api, made)
    assert [[e["event_id"] for e in row["events"]] for row in found] == [["2"], [], ["3"]]
    assert found[0]["events"][0]["timestamp"] == "2026-11-03T10:00:00Z"
    assert "attributes" not in found[0]


@pytest.mark.parametrize("few", [exported_rows.FEW, 0])
def test_only_members_of_segments_are_exported(api, sandbox, people, monkeypatch, few):
    monkeypatch.setattr(exported_rows, "FEW", few)
    with scope(sandbox, ME):
        for one, status in zip(people, ("exited", "realized", "realized"), strict=True):
            one.segments = {"seg_a": {"status": status, "since": "2026-11-01T00:00:00Z"}}
            one.save()
    facts = {"seg_a": SegmentFacts("A", [])}
    monkeypatch.setitem(segment_facts._entries, "tests", lambda sandbox, ids: facts)

    made = export(api, segments=["seg_a"])
    left = export(api, segments=["seg_a"], segment_statuses=["exited"])

    assert [row["id"] for row in lines(api, made)] == [str(people[1]), str(people[2])]
    assert [row["id"] for row in lines(api, left)] == [str(people[0])]
    assert lines(api, left)[0]["segments"]["seg_a"]["status"] == "exited"


def test_only_what_has_changed_since_is_exported(api, sandbox, crm, people):
    first = export(api)
    send(sandbox, crm, [{**JOHN, "_luma": {"crmId": "c-2", "points": 4.0}}])

    made = export(api, changed_since=first["completed_at"])

    [john] = lines(api, made)
    assert john["attributes"]["_luma"]["points"] == 4.0


def test_another_merge_policy_decides_what_is_exported(api, sandbox, people, crm):
    other = make_dataset(
        sandbox, "Shop", events=False, identities=[("personalEmail.address", "Email", True)]
    )
    send(sandbox, other, [{**JOHN, "_luma": {"tier": "gold"}}])
    with scope(sandbox, ME):
        policy = MergePolicy.objects.create(
            sandbox=sandbox, name="CRM only", attributes="dataSetPrecedence", datasets=[crm.pk]
        )

    tiers = [
        [row["attributes"].get("_luma", {}).get("tier") for row in lines(api, made)]
        for made in (export(api), export(api, merge_policy=policy.pk))
    ]

    assert tiers == [["bronze", "gold", None], ["bronze", None, None]]


def test_profiles_go_into_a_dataset_and_stay_out_of_profiles(api, sandbox, people):
    target = make_dataset(sandbox, "Handed out", events=False, enabled=False)

    made = export(api, target="dataset", dataset_id=target.pk, fields=["_luma"])

    assert (made["state"], made["profiles"]) == ("complete", 3)
    stored = api.get(f"/api/v1/datasets/{target.pk}/rows/").json()["results"]
    found = sorted(
        (row["record"] for row in stored), key=lambda row: str(row["identityMap"]), reverse=True
    )
    assert len(found) == 3
    assert {"_luma": SARAH["_luma"]}.items() <= next(
        row for row in found if "c-1" in str(row["identityMap"])
    ).items()


def test_an_export_into_a_dataset_goes_on_where_it_was(api, sandbox, people, monkeypatch, clock):
    target = make_dataset(sandbox, "Handed out", events=False, enabled=False)
    monkeypatch.setattr(exported_rows, "PAGE", 1)
    real, calls = run.write_records, []

    def dying(**given):
        calls.append(len(given["records"]))
        if len(calls) == 2:
            raise Unavailable("The store is away.", retry_after=1)
        return real(**given)

    monkeypatch.setattr(run, "write_records", dying)
    answer = api.post(URL, {"target": "dataset", "dataset_id": target.pk})
    queue.drain(["jobs.run"], forgiving=True)
    half = api.get(f"{URL}{answer.json()['id']}/").json()
    clock.move(minutes=5)
    queue.drain(WORK)

    made = api.get(f"{URL}{answer.json()['id']}/").json()
    assert (half["state"], half["profiles"]) == ("processing", 1)
    assert (made["state"], made["profiles"]) == ("complete", 3)
    assert api.get(f"/api/v1/datasets/{target.pk}/stats/").json()["rows"] == 3


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"fields": ["person.nmae"]}, "fields.0"),
        ({"fields": ["identityMap"]}, "fields.0"),
        ({"segments": ["seg_none"]}, "segments.0"),
        ({"format": "xml"}, "format"),
        ({"target": "dataset"}, "dataset_id"),
        ({"parts": ["events"]}, "events_since"),
        ({"parts": ["events"], "format": "csv", "events_since": "2026-01-01T00:00:00Z"}, "parts"),
        ({"marketing_actions": ["nonsense"]}, "marketing_actions"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_made(api, sandbox, people, asked, path):
    refused = api.post(URL, {"format": "json_lines", **asked})

    assert refused.status_code == 422
    assert path in [error["path"] for error in refused.json()["errors"]]
    with scope(sandbox, ME):
        assert not ProfileExport.objects.for_sandbox(sandbox).exists()


def test_a_dataset_that_feeds_profiles_takes_none(api, sandbox, people, crm):
    refused = api.post(URL, {"target": "dataset", "dataset_id": crm.pk})

    assert (refused.status_code, refused.json()["code"]) == (422, "dataset_unfit")


def test_a_policy_forbids_an_export_and_says_why(api, sandbox, people, crm):
    label(sandbox, crm, "personalEmail", "C2")
    with scope(sandbox, ME):
        CorePolicyState.objects.create(
            sandbox=sandbox, policy_id="pol_core_third_party_export", status="enabled"
        )

    refused = api.post(URL, {"format": "csv"})
    inside = export(api, format="csv", marketing_actions=[])
    harmless = export(
        api,
        format="csv",
        fields=["_luma.tier"],
        parts=["attributes"],
        marketing_actions=["exportToThirdParty"],
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "use_refused")
    [violation] = refused.json()["violations"]
    assert "personalEmail.address" in [one["path"] for one in violation["fields"]]
    assert (inside["state"], inside["labels"]) == ("complete", ["C2"])
    assert (harmless["state"], harmless["labels"]) == ("complete", [])


def test_a_policy_that_came_meanwhile_stops_the_job(api, sandbox, people, crm):
    label(sandbox, crm, "personalEmail", "C2")
    made = api.post(URL, {"format": "csv"}).json()
    with scope(sandbox, ME):
        CorePolicyState.objects.create(
            sandbox=sandbox, policy_id="pol_core_third_party_export", status="enabled"
        )

    queue.drain(WORK)

    row = api.get(f"{URL}{made['id']}/").json()
    assert (row["state"], "exportToThirdParty" in row["detail"]) == ("error", True)
    assert api.get(f"{URL}{made['id']}/content/").json()["code"] == "export_gone"


def test_hidden_fields_are_left_out_and_their_file_is_for_those_who_may_see_it(
    api, organization, sandbox, people, crm
):
    label(sandbox, crm, "person", "S2")
    officer = api_client(organization)
    with organization_scope(organization, ME):
        role = Role.objects.for_organization(organization).order_by("-pk").first()
        role.labels = ["S2"]
        role.save()
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=True)

    own, whole = export(api), export(officer)
    named = api.post(URL, {"format": "csv", "fields": ["person.name.firstName"]})
    foreign = api.get(f"{URL}{whole['id']}/content/")

    assert "person" not in lines(api, own)[0]["attributes"]
    assert lines(officer, whole)[0]["attributes"] == SARAH
    assert (named.status_code, named.json()["code"]) == (403, "field_hidden")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "field_hidden")


def test_exports_need_their_permission_and_are_written_down(api, organization, sandbox, people):
    stranger = api_client(organization, permissions=["view-profiles", "manage-profiles"])

    refused = stranger.post(URL, {"format": "csv"})
    made = export(api)

    assert (refused.status_code, refused.json()["permission"]) == (403, "export-profiles")
    with bypass():
        trail = AuditEvent.unscoped.filter(target_id=made["id"]).order_by("pk")
        assert [one.action for one in trail] == ["use.allowed", "profile_export.started"]


def test_an_export_is_cancelled_and_deleted(api, sandbox, people):
    waiting = api.post(URL, {"format": "csv"}).json()

    cancelled = api.post(f"{URL}{waiting['id']}/cancel/")
    queue.drain(WORK)
    made = export(api)
    deleted = api.delete(f"{URL}{made['id']}/")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert api.get(f"{URL}{waiting['id']}/").json()["state"] == "cancelled"
    assert deleted.status_code == 204
    assert not run.folder_of(sandbox, made["id"]).exists(run.CONTENT)
    assert api.get(f"{URL}{made['id']}/").status_code == 404


def test_files_go_after_a_week(api, sandbox, people, clock):
    made = export(api)

    clock.move(days=6)
    expire_exports()
    kept = run.folder_of(sandbox, made["id"]).exists(run.CONTENT)
    clock.move(days=2)
    expire_exports()

    assert kept
    assert not run.folder_of(sandbox, made["id"]).exists(run.CONTENT)
    with scope(sandbox, ME):
        assert ProfileExport.objects.for_sandbox(sandbox).get().state == "expired"


def test_what_a_job_left_that_could_not_end_is_removed(api, sandbox, people):
    left = api.post(URL, {"format": "csv"}).json()
    with scope(sandbox, ME):
        ProfileExport.objects.for_sandbox(sandbox).update(state="processing")
        Job.objects.for_sandbox(sandbox).update(state="failed", finished_at="2026-11-01T00:00Z")
    with run.folder_of(sandbox, left["id"]).writing("content") as file:
        file.write(b"half of it")

    expire_exports()

    assert api.get(f"{URL}{left['id']}/").json()["state"] == "error"
    assert not run.folder_of(sandbox, left["id"]).exists(run.CONTENT)


def erase(api, email):
    user = {"actions": ["delete"], "identities": [{"namespace": "Email", "value": email}]}
    [row] = api.post("/api/v1/privacy-jobs/", {"users": [user]}).json()["results"]
    queue.drain(WORK)
    return api.get(f"/api/v1/privacy-jobs/{row['id']}/").json()


@pytest.mark.parametrize(
    "form",
    [
        {"format": "json_lines", "compression": "gzip", "parts": ["segments"]},
        {"format": "csv", "compression": "gzip", "parts": ["segments"]},
        {"format": "csv", "parts": ["identities"]},
        {"format": "parquet", "compression": "gzip", "parts": ["segments"]},
        {"format": "parquet", "parts": ["attributes"]},
    ],
)
def test_the_erasure_of_somebody_takes_the_files_she_is_in(api, sandbox, crm, people, form):
    with_her = export(api, **form)
    send(sandbox, crm, [{**JOHN, "_luma": {"crmId": "c-2", "points": 4.0}}])
    without_her = export(api, **form, changed_since=with_her["completed_at"])

    request = erase(api, "sarah@luma.com")

    assert request["receipts"]["exports"] == {"files": 1}
    states = [api.get(f"{URL}{one['id']}/").json()["state"] for one in (with_her, without_her)]
    assert states == ["erased", "complete"]
    assert not run.folder_of(sandbox, with_her["id"]).exists(run.CONTENT)


def test_a_file_in_the_making_is_begun_anew_when_somebody_is_erased(
    api, sandbox, people, monkeypatch
):
    real, written = run._write, []

    def erasing(*given):
        count = real(*given)
        written.append(count)
        if len(written) == 1:
            with scope(sandbox, ME):
                erase_person(sandbox, ErasedPerson([("Email", "sarah@luma.com")], []))
        return count

    monkeypatch.setattr(run, "_write", erasing)

    made = export(api)

    assert (made["state"], made["profiles"]) == ("complete", 3)
    assert written == [3, 3]


def test_twenty_thousand_profiles_are_exported_in_flat_memory(api, sandbox, crm):
    peaks = []
    for upto in (2_000, 20_000):
        _fill(sandbox, crm, upto)
        tracemalloc.start()
        made = export(api, format="csv", compression="gzip", work=["jobs.run"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (made["state"], made["profiles"]) == ("complete", upto)

    text = gzip.decompress(content(api, made)).decode()
    assert len({line.partition(",")[0] for line in text.splitlines()[1:]}) == 20_000
    assert peaks[1] < peaks[0] + 15_000_000


def _fill(sandbox, crm, upto):
    with scope(sandbox, ME):
        begun = Profile.objects.for_sandbox(sandbox).count()
        dataset = Dataset.objects.for_sandbox(sandbox).get(pk=crm.pk)
        for start in range(begun, upto, 1_000):
            records = [
                {"_luma": {"crmId": f"many-{n}", "points": float(n), "tier": "t" * 100}}
                for n in range(start, start + 1_000)
            ]
            write_records(sandbox=sandbox, dataset=dataset, records=records)
    queue.drain(["records.received"])
