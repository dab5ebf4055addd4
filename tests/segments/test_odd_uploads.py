"""Files for uploads that no database would take: refused with a reason, and none gets stuck."""

import pytest

from cdp.queue import drain
from tests.segments.shop import open_shop
from tests.segments.test_compositions import mail, who
from tests.segments.test_uploads import csv, folder, known, make, send  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

# Different characters, or the database would make them shorter.
_LONG = "".join(chr(0x4E00 + (number * 7_919) % 20_000) for number in range(1_000))


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"{mail('ben')},1,go\0ld", "nul_character"),
        ("b\0en@luma.example,1,gold", "nul_character"),
        (f"{_LONG}@luma.example,1,gold", "identity_too_long"),
    ],
    ids=["nul in an attribute", "nul in an identity", "long identity"],
)
def test_a_row_that_cannot_be_stored_is_bad_and_the_others_count(api, shop, row, code):
    known(shop, "ada")
    key = make(api)

    batch = send(api, key, f"{csv('ada')}\n{row}", partial_percent=50)

    assert (batch["state"], batch["stored_records"], batch["failed_records"]) == ("success", 1, 1)
    assert [error["code"] for error in batch["errors"]] == [code]
    assert who(shop, key) == {"ada"}


def test_a_batch_whose_segment_is_deleted_before_it_is_complete_fails(api, shop):
    key = make(api)
    at = api.post(f"/api/v1/segment-uploads/{key}/batches/", {}).headers["Location"]
    body = csv("ada").encode()
    api.generic("PUT", f"{at}files/people.csv", body, content_type="application/octet-stream")
    assert api.delete(f"/api/v1/segments/{key}/").status_code == 204

    api.post(f"{at}complete/")
    drain()

    batch = api.get(at).json()
    assert batch["state"] == "failed"
    assert "deleted" in batch["reason"]
