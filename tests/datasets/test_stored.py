"""What is stored of a dataset, over HTTP, and when it goes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.datasets.models import Batch, Receipt
from cdp.datasets.services.datasets import change_dataset
from cdp.datasets.services.tidying import tidy
from cdp.datasets.services.uploads import folder_named
from cdp.datasets.topics import DATASETS_DELETED
from cdp.tenancy.scope import scope
from tests.datasets.making import ACTOR, event, make_dataset, make_schema
from tests.datasets.test_batches import put, start

NOW = timezone.now().replace(microsecond=0)


def store_events(sandbox, dataset, count):
    rows = [
        {
            "identity_id": number,
            "ts": NOW - timedelta(days=number),
            "event_id": f"e{number}",
            "event_type": "x",
            "dataset_id": dataset.pk,
            "profile_id": number,
            "body": event(number),
            "ingested_at": NOW,
            "batch_id": "bat_1" if number < 2 else "bat_2",
        }
        for number in range(count)
    ]
    client.insert("events", rows, sandbox=sandbox, token=f"events of {dataset.pk}")


def store_records(sandbox, dataset):
    rows = [
        {
            "dataset_id": dataset.pk,
            "batch_id": "bat_1",
            "key": key,
            "ts": NOW + timedelta(seconds=version),
            "body": {"version": version},
            "ingested_at": NOW,
        }
        for key in ("a", "b", "c")
        for version in (1, 2)
    ]
    client.insert("records", rows, sandbox=sandbox, token=f"records of {dataset.pk}")


@pytest.mark.clickhouse
@pytest.mark.acceptance("D-03")
def test_events_are_read_newest_first_in_pages(api, sandbox):
    dataset = make_dataset(sandbox)
    store_events(sandbox, dataset, 5)
    url = f"/api/v1/datasets/{dataset.pk}/rows/?limit=2"

    pages = []
    while url:
        page = api.get(url).json()
        pages.append([row["key"] for row in page["results"]])
        url = page["next"]

    assert pages == [["e0", "e1"], ["e2", "e3"], ["e4"]]


@pytest.mark.clickhouse
def test_events_are_found_by_time_and_batch(api, sandbox):
    dataset = make_dataset(sandbox)
    store_events(sandbox, dataset, 5)
    base = f"/api/v1/datasets/{dataset.pk}/rows/"

    def keys(**query):
        return [row["key"] for row in api.get(base, query).json()["results"]]

    assert keys(batch_id="bat_1") == ["e0", "e1"]
    since, until = NOW - timedelta(days=3), NOW - timedelta(days=1)
    assert keys(since=since.isoformat(), until=until.isoformat()) == ["e2", "e3"]
    assert api.get(base, {"sinse": "x"}).status_code == 422
    assert api.get(base, {"cursor": "nonsense"}).status_code == 400


@pytest.mark.clickhouse
def test_records_are_read_by_key_all_or_the_current_ones(api, sandbox):
    schema = make_schema(sandbox, title="Products", events=False, groups=())
    dataset = make_dataset(sandbox, name="Products", schema=schema)
    store_records(sandbox, dataset)
    base = f"/api/v1/datasets/{dataset.pk}/rows/"

    def read(**query):
        url, rows = base, []
        answer = api.get(url, {"limit": 2, **query}).json()
        rows += answer["results"]
        while answer["next"]:
            answer = api.get(answer["next"]).json()
            rows += answer["results"]
        return [(row["key"], row["record"]["version"]) for row in rows]

    assert read() == [("a", 2), ("a", 1), ("b", 2), ("b", 1), ("c", 2), ("c", 1)]
    assert read(current=True) == [("a", 2), ("b", 2), ("c", 2)]
    assert read(key="b") == [("b", 2), ("b", 1)]


@pytest.mark.clickhouse
def test_a_preview_and_stats_of_what_is_there(api, sandbox):
    empty, full = make_dataset(sandbox, name="Empty"), make_dataset(sandbox, name="Full")
    store_events(sandbox, full, 3)

    preview = api.get(f"/api/v1/datasets/{full.pk}/preview/").json()["results"]
    stats = api.get(f"/api/v1/datasets/{full.pk}/stats/").json()
    nothing = api.get(f"/api/v1/datasets/{empty.pk}/stats/").json()

    assert [row["key"] for row in preview] == ["e0", "e1", "e2"]
    assert preview[0]["record"]["eventType"] == "web.webpagedetails.pageViews"
    assert (stats["rows"], stats["keys"]) == (3, 3)
    assert stats["first"].startswith((NOW - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S"))
    assert (nothing["rows"], nothing["first"]) == (0, None)


@pytest.mark.clickhouse
def test_another_sandbox_s_rows_are_not_there(api, sandbox, other_sandbox):
    theirs = make_dataset(other_sandbox)
    store_events(other_sandbox, theirs, 1)

    assert api.get(f"/api/v1/datasets/{theirs.pk}/rows/").status_code == 404


@pytest.mark.clickhouse
def test_rows_go_when_their_dataset_keeps_them_no_longer(api, sandbox):
    dataset = make_dataset(sandbox)
    store_events(sandbox, dataset, 5)
    with scope(sandbox, ACTOR):
        change_dataset(actor=ACTOR, dataset=dataset, retention_days=2)

    tidy()

    rows = api.get(f"/api/v1/datasets/{dataset.pk}/rows/").json()["results"]
    assert [row["key"] for row in rows] == ["e0", "e1"]


def test_old_receipts_and_forgotten_batches_go(api, sandbox, settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()
    dataset = make_dataset(sandbox)
    batch = start(api, dataset)
    with scope(sandbox, ACTOR):
        for number, days in enumerate((1, 29, 31)):
            Receipt.objects.create(
                id=f"rcp_{number}", sandbox=sandbox, received_at=timezone.now() - timedelta(days=days),
                finished_at=timezone.now(), records=1, stored=1, duplicates=0, rejected=0,
                ids_assigned=0, fates="s",
            )  # fmt: skip
        Batch.objects.for_sandbox(sandbox).update(updated_at=timezone.now() - timedelta(days=8))

    tidy()

    with scope(sandbox, ACTOR):
        left = Receipt.objects.for_sandbox(sandbox).order_by("id").values_list("id", flat=True)
        assert list(left) == ["rcp_0", "rcp_1"]
    assert api.get(f"/api/v1/batches/{batch}/").json()["state"] == "abandoned"


@pytest.mark.clickhouse
def test_the_rows_and_files_of_a_dataset_go_with_it(api, sandbox):
    dataset = make_dataset(sandbox, profile_enabled=False)
    at = f"/api/v1/datasets/{dataset.pk}/"
    store_records(sandbox, dataset)
    store_events(sandbox, dataset, 1)  # nobody's
    batch = start(api, dataset)
    put(api, batch, "one.json", b"{}\n")
    folder = folder_named(sandbox, batch)

    under_way = api.delete(at)
    assert (under_way.status_code, under_way.json()["code"]) == (409, "dataset_not_empty")
    assert folder.exists("")

    with scope(sandbox, ACTOR):
        Batch.objects.for_sandbox(sandbox).update(state="success")
    assert api.delete(at).status_code == 204
    queue.drain([DATASETS_DELETED])

    assert not folder.exists("")
    left = client.fetch_text(
        "SELECT 1 FROM records WHERE sandbox_id = {sandbox:UInt32}"
        " UNION ALL SELECT 1 FROM events WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    assert left == []


@pytest.mark.clickhouse
def test_a_dataset_with_events_is_not_deleted(api, sandbox):
    dataset = make_dataset(sandbox, profile_enabled=False)
    store_events(sandbox, dataset, 2)

    refused = api.delete(f"/api/v1/datasets/{dataset.pk}/")

    assert (refused.status_code, refused.json()["code"]) == (409, "dataset_not_empty")
