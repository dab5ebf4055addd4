"""Datasets, inlets, receipts and rejected records over HTTP."""

import pytest
from django.utils import timezone

from cdp.datasets.ingestion import outcomes, prepare
from cdp.datasets.models import Dataset, Inlet
from cdp.datasets.services.settling import reject, write_receipts
from cdp.tenancy.scope import scope
from tests.datasets.making import (
    ACTOR,
    event,
    make_dataset,
    make_inlet,
    make_schema,
    send,
)
from tests.datasets.test_ingestion import rows_of
from tests.factories import api_client


@pytest.mark.acceptance("A-31")
def test_a_dataset_is_made_for_a_schema(api, sandbox):
    schema = make_schema(sandbox)

    response = api.post("/api/v1/datasets/", {"name": "Web", "schema_id": schema.pk})

    assert response.status_code == 201
    body = response.json()
    assert response.headers["Location"].endswith(f"/datasets/{body['id']}/")
    assert (body["behavior"], body["profile_enabled"], body["dedup_days"]) == (
        "time-series",
        False,
        90,
    )
    assert api.get(f"/api/v1/datasets/{body['id']}/").json() == body


@pytest.mark.acceptance("A-32")
def test_a_dataset_is_enabled_for_profile_if_its_schema_is(api, sandbox):
    closed = make_dataset(sandbox, name="A", schema=make_schema(sandbox, title="A", profile=False))
    open_ = make_dataset(sandbox, name="B", schema=make_schema(sandbox, title="B"),
                         profile_enabled=False)  # fmt: skip

    refused = api.patch(f"/api/v1/datasets/{closed.pk}/", {"profile_enabled": True})
    allowed = api.patch(f"/api/v1/datasets/{open_.pk}/", {"profile_enabled": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "schema_not_for_profile")
    assert api.get(f"/api/v1/datasets/{closed.pk}/").json()["profile_enabled"] is False
    assert allowed.json()["profile_enabled"] is True
    assert allowed.json()["profile_enabled_at"] is not None


@pytest.mark.acceptance("D-26")
@pytest.mark.acceptance("D-27")
def test_labels_are_put_on_a_dataset_and_on_its_fields(api, sandbox):
    dataset = make_dataset(sandbox, name="P", schema=make_schema(sandbox, events=False))
    url = f"/api/v1/datasets/{dataset.pk}/"
    labels = {"labels": ["C2"], "field_labels": {"personalEmail.address": ["I1", "C5"]}}

    put = api.patch(url, labels)

    assert put.status_code == 200, put.json()
    assert {name: api.get(url).json()[name] for name in labels} == labels


def test_a_name_is_used_once_and_an_unknown_schema_is_told(api, sandbox):
    schema = make_schema(sandbox)
    api.post("/api/v1/datasets/", {"name": "Web", "schema_id": schema.pk})

    again = api.post("/api/v1/datasets/", {"name": "Web", "schema_id": schema.pk})
    unknown = api.post("/api/v1/datasets/", {"name": "X", "schema_id": "sch_unknown"})

    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert unknown.status_code == 404
    with scope(sandbox, ACTOR):
        assert Dataset.objects.for_sandbox(sandbox).count() == 1


def test_events_are_never_upserted(api, sandbox):
    schema = make_schema(sandbox)

    response = api.post(
        "/api/v1/datasets/", {"name": "Web", "schema_id": schema.pk, "upsert": True}
    )

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == ["upsert"]


@pytest.mark.clickhouse
def test_a_dataset_in_use_is_not_deleted(api, sandbox):
    dataset = make_dataset(sandbox, profile_enabled=False)
    inlet = make_inlet(sandbox, dataset)

    response = api.delete(f"/api/v1/datasets/{dataset.pk}/")

    assert response.status_code == 409
    assert response.json()["dependents"] == [{"type": "inlet", "id": inlet.pk, "name": "Site"}]
    api.delete(f"/api/v1/inlets/{inlet.pk}/")
    assert api.delete(f"/api/v1/datasets/{dataset.pk}/").status_code == 204


def test_an_inlet_tells_the_address_to_send_to(api, sandbox):
    first, second = make_dataset(sandbox), make_dataset(sandbox, name="Other")

    response = api.post(
        "/api/v1/inlets/",
        {"name": "Site", "door": "xdm", "dataset_ids": [first.pk, second.pk]},
    )

    assert response.status_code == 201
    body = response.json()
    assert body["url"].endswith(f"/collection/{body['id']}")
    assert body["dataset_ids"] == [first.pk, second.pk]
    assert body["requires_key"] is True
    changed = api.patch(f"/api/v1/inlets/{body['id']}/", {"dataset_ids": [second.pk]})
    assert changed.json()["dataset_ids"] == [second.pk]
    assert changed.json()["name"] == "Site"


def test_an_inlet_of_unknown_datasets_is_refused(api, sandbox, other_sandbox):
    theirs = make_dataset(other_sandbox)

    response = api.post(
        "/api/v1/inlets/", {"name": "Site", "door": "xdm", "dataset_ids": [theirs.pk]}
    )

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == ["dataset_ids.0"]
    with scope(sandbox, ACTOR):
        assert Inlet.objects.for_sandbox(sandbox).count() == 0


def test_a_switched_off_inlet_takes_nothing(api, sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    api.patch(f"/api/v1/inlets/{inlet.pk}/", {"enabled": False})

    assert send(inlet, event(1)).status_code == 404


@pytest.mark.acceptance("A-33")
def test_a_receipt_tells_the_reasons_and_a_rejected_record_can_be_replayed(api, sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    wrong = event(2, eventType=9)
    receipt = send(inlet, [event(1), wrong]).json()["xactionId"]
    assert api.get(f"/api/v1/receipts/{receipt}/").json()["state"] == "pending"
    with scope(sandbox, ACTOR):
        judged = prepare(sandbox, rows_of(sandbox), now=timezone.now())
        reject(sandbox, judged.rejected)
        write_receipts(sandbox, outcomes(judged))

    told = api.get(f"/api/v1/receipts/{receipt}/").json()
    (aside,) = api.get(f"/api/v1/rejected-records/?receipt_id={receipt}").json()["results"]

    assert (told["state"], told["stored"], told["rejected"]) == ("done", 1, 1)
    assert told["fates"][1]["rejected_record_id"] == aside["id"]
    assert aside["record"] == wrong
    assert [error["path"] for error in aside["errors"]] == ["eventType"]

    replayed = api.post("/api/v1/rejected-records/replay/", {"ids": [aside["id"]]})

    assert replayed.status_code == 202
    (again,) = replayed.json()["receipt_ids"]
    assert api.get(f"/api/v1/receipts/{again}/").json()["state"] == "pending"
    twice = api.post("/api/v1/rejected-records/replay/", {"ids": [aside["id"]]})
    assert twice.status_code == 409


@pytest.mark.parametrize("position", ["", "-3", "-x", f"-{'9' * 5_000}"])
def test_an_unknown_receipt_is_not_found(api, position):
    assert api.get(f"/api/v1/receipts/rcp_unknown{position}/").status_code == 404


def test_who_may_only_read_changes_nothing(organization, sandbox):
    dataset = make_dataset(sandbox)
    reader = api_client(organization, permissions=["view-datasets"])

    assert reader.get(f"/api/v1/datasets/{dataset.pk}/").status_code == 200
    refused = reader.patch(f"/api/v1/datasets/{dataset.pk}/", {"name": "New"})

    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-datasets")


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("resource", ["datasets", "inlets"])
def test_lists_cost_the_same_however_long(api, sandbox, count, resource, django_assert_num_queries):
    schema = make_schema(sandbox)
    for number in range(count):
        dataset = make_dataset(sandbox, name=f"Dataset {number}", schema=schema)
        make_inlet(sandbox, dataset, name=f"Inlet {number}")
    api.get(f"/api/v1/{resource}/")

    with django_assert_num_queries({"datasets": 8, "inlets": 9}[resource]):
        response = api.get(f"/api/v1/{resource}/")

    assert len(response.json()["results"]) == count


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"labels": ["C77"]}, "labels"),
        ({"field_labels": {"eventTipe": ["C1"]}}, "field_labels.eventTipe"),
        ({"field_labels": {"eventType": ["c1"]}}, "field_labels.eventType"),
    ],
)
def test_labels_of_a_dataset_are_those_that_exist_at_fields_that_exist(api, sandbox, given, path):
    dataset = make_dataset(sandbox)
    route = f"/api/v1/datasets/{dataset.pk}/"

    refused = api.patch(route, given)

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [path]
    assert (api.get(route).json()["labels"], api.get(route).json()["field_labels"]) == ([], {})
