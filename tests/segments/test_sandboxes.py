"""What is left of segments when a person is erased."""

import pytest

from cdp.queue import drain
from tests.segments.shop import open_shop
from tests.segments.test_compositions import mail
from tests.segments.test_uploads import csv, folder, known, make, send  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


def files(api, batch: dict) -> list:
    return api.get(f"/api/v1/batches/{batch['id']}/files/").json()["results"]


def test_files_whose_rows_have_gone_are_erased_with_a_person_and_others_stay(api, shop):
    known(shop, "ada", "ben")
    key = make(api)
    replaced = send(api, key, csv("ada"))
    failed = send(api, key, csv("ada") + "\nnull,1,gold")
    current = send(api, key, csv("ben"))
    gone = make(api, "Deleted since")
    deleted = send(api, gone, csv("ada"))
    api.delete(f"/api/v1/segments/{gone}/")
    drain()
    assert all(files(api, batch) for batch in (replaced, failed, current, deleted))

    user = {
        "key": "a ticket",
        "actions": ["delete"],
        "identities": [{"namespace": "Email", "value": mail("ada")}],
    }
    asked = api.post("/api/v1/privacy-jobs/", {"regulation": "gdpr", "users": [user]})
    drain()

    [done] = asked.json()["results"]
    told = api.get(f"/api/v1/privacy-jobs/{done['id']}/").json()["receipts"]["segments"]
    assert (told["uploaded rows"], told["uploaded files"]) == (0, 3)
    assert [files(api, batch) for batch in (replaced, failed, deleted)] == [[], [], []]
    assert len(files(api, current)) == 1
