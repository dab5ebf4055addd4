"""Write keys, from the API to the door they open."""

import pytest

from cdp.datasets.doors import inlets
from cdp.tenancy.models import WriteKey
from tests.datasets.making import event, make_dataset, make_inlet, send

URL = "/api/v1/write-keys/"


@pytest.fixture
def inlet(sandbox, monkeypatch):
    """An inlet that asks for a key, at a door that remembers nothing."""
    monkeypatch.setattr(inlets, "KEPT_SECONDS", 0)
    return make_inlet(sandbox, make_dataset(sandbox), requires_key=True)


def test_a_write_key_opens_its_door_until_it_is_revoked(api, inlet):
    made = api.post(URL, {"name": "Shop", "inlet": inlet.pk})
    key = made.json()["write_key"]

    assert made.status_code == 201
    assert send(inlet, event(1), key=key).status_code == 200
    assert api.delete(made["Location"]).status_code == 204
    refused = send(inlet, event(2), key=key)

    assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json")
    assert refused.json() == {
        "type": "urn:cdp:problem:write_key_refused",
        "title": "Who are you?",
        "status": 401,
        "code": "write_key_refused",
        "detail": "Send a live write key of this inlet, as 'Authorization: Bearer KEY'.",
        "errors": [],
    }
    assert api.get(made["Location"]).json()["revoked_at"] is not None


def test_a_key_is_shown_once(api, inlet):
    made = api.post(URL, {"name": "Shop", "inlet": inlet.pk})

    shown = api.get(made["Location"])

    assert "write_key" not in shown.json()
    assert shown.json()["hint"] == made.json()["write_key"][-4:]
    assert made.json()["write_key"] not in api.get("/api/v1/audit-events/").content.decode()


def test_a_key_is_for_an_inlet_of_this_sandbox(api, inlet, other_organization):
    from tests.factories import api_client

    stranger = api_client(other_organization)
    before = WriteKey.objects.count()

    answer = stranger.post(URL, {"name": "Theirs", "inlet": inlet.pk})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "path": "inlet",
            "code": "unknown",
            "detail": f"There is no inlet '{inlet.pk}' in this sandbox.",
        }
    ]
    assert WriteKey.objects.count() == before
