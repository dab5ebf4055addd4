"""Any REST API: each way of asking for the next page, and what is new since a time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from tests.datasets.flowing import (
    connect,
    contacts,
    counted,
    make_flow,
    make_people,
    marker,
    run,
    stored_names,
)
from tests.datasets.servers.http import Api, Asked, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
SIZE = 100


@dataclass
class Shop(Api):
    """Serves `customers` in pages of a hundred, by each of the usual ways."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def lets_in(self, header: str) -> bool:
        return header == "Bearer a-token"

    def data(self, asked: Asked) -> tuple[int, Any]:
        _, version, resource, *way = asked.path.split("/")
        if (version, resource) != ("v1", "customers"):
            return 404, {"error": "no such thing"}
        rows = self.rows
        if since := asked.params.get("updated_after"):  # later than, as many understand it
            start = datetime.fromisoformat(since)
            rows = [row for row in rows if datetime.fromisoformat(row["modifiedon"]) > start]
        match way:
            case ["number"]:
                at = (int(asked.params["page"]) - 1) * SIZE
            case ["offset" | "cursor" | "link"]:
                at = int(asked.params.get("at", 0))
            case _:
                return 200, rows
        page, following = rows[at : at + SIZE], at + SIZE
        more = following if following < len(rows) else None
        link = f"{self.url}{asked.path}?at={following}" if more else None
        return 200, {"data": {"items": page}, "meta": {"next": more, "link": link}}


@pytest.fixture
def shop(settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with serving(Shop(rows=contacts(250))) as server:
        yield server


@pytest.fixture
def people(sandbox):
    return make_people(sandbox)


def connection_to(api, shop, **settings):
    given = {"base_url": f"{shop.url}/v1", "token": "a-token", "test_path": "customers"}
    return connect(api, "rest", {**given, **settings})


@pytest.mark.parametrize(
    ("way", "paging"),
    [
        ("number", {"page_param": "page"}),
        ("offset", {"page_param": "at"}),
        ("cursor", {"page_param": "at", "next": "meta.next"}),
        ("link", {"next": "meta.link"}),
    ],
)
def test_all_pages_are_read_in_each_way(api, sandbox, shop, people, way, paging):
    selection = {"path": f"customers/{way}", "records": "data.items", "pages": way, **paging}
    connection = connection_to(api, shop)

    sample = api.post(f"/api/v1/connections/{connection}/preview/", {"selection": selection})
    told = run(api, make_flow(api, connection, selection, people))

    assert len(sample.json()["rows"]) == 100
    assert (told["state"], counted(sandbox)) == ("success", (250, 250))


def test_an_api_is_asked_for_what_has_changed_since(api, sandbox, shop, people):
    selection = {
        "path": "customers", "delta_param": "updated_after", "delta_field": "modifiedon",
    }  # fmt: skip
    flow = make_flow(api, connection_to(api, shop), selection, people)

    first = run(api, flow)
    shop.rows += [{**shop.rows[-1], "firstname": "Tied"}, *contacts(1, first=900)]
    second, third = run(api, flow), run(api, flow)

    assert [each["stored_records"] for each in (first, second, third)] == [250, 2, 0]
    assert "updated_after" not in shop.asked[1].params
    assert shop.asked[2].params == {"updated_after": "2026-01-01T00:00:01Z"}
    assert marker(api, flow) == {"value": "2026-01-01T00:00:09+00:00"}
    assert {"Tied", "P900"} <= set(stored_names(sandbox))


def test_a_window_of_an_api_takes_only_what_is_inside(api, sandbox, shop, people):
    selection = {"path": "customers", "delta_field": "modifiedon"}
    flow = make_flow(api, connection_to(api, shop), selection, people)

    told = run(api, flow, window_start="2026-01-01T00:00:00Z", window_end="2026-01-01T00:00:01Z")

    assert (told["stored_records"], marker(api, flow)) == (100, None)
    assert counted(sandbox) == (100, 100)


@pytest.mark.parametrize(
    ("path", "records", "said"),
    [
        ("nothing", "", "The API answered 404"),
        ("customers/number", "", "The answer is no list"),
        ("customers/link", "data", "There is no list at 'data'"),
    ],
)
def test_what_is_no_list_is_told(api, shop, path, records, said):
    url = f"/api/v1/connections/{connection_to(api, shop)}/preview/"
    selection = {"path": path, "records": records, "params": {"page": "1"}}

    seen = api.post(url, {"selection": selection})

    assert (seen.status_code, seen.json()["detail"].startswith(said)) == (422, True)


def test_a_wrong_token_is_refused_and_not_repeated(api, shop):
    settings = {"base_url": f"{shop.url}/v1", "token": "wrong-token", "test_path": "customers"}
    made = api.post("/api/v1/connections/", {"name": "R", "kind": "rest", "settings": settings})

    tried = api.post(f"/api/v1/connections/{made.json()['id']}/test/")

    assert tried.status_code == 422
    assert tried.json()["detail"].startswith("The API answered 401")
    assert "wrong-token" not in tried.content.decode()
