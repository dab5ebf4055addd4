"""A table of PostgreSQL: found, previewed, read once whole and then only what is new."""

import io

import pytest

from cdp.datasets.sources import sql as sql_source
from tests.datasets.flowing import (
    as_csv,
    connect,
    contacts,
    counted,
    make_flow,
    make_people,
    marker,
    run,
    start,
    stored_names,
    work,
)
from tests.datasets.offers import CREATE
from tests.datasets.servers.postgres import postgres_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
SELECTION = {"table": "public.contacts", "delta_column": "modifiedon"}


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker):
    with postgres_database("crm") as (connection, url):
        yield connection, url


@pytest.fixture
def shop(database, settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with database[0].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS contacts")
        cursor.execute(CREATE)
        yield cursor


@pytest.fixture
def people(sandbox):
    return make_people(sandbox)


@pytest.fixture
def settings_of(database):
    connection, url = database
    return {"url": url, "password": connection.info.password}


def fill(cursor, rows):
    cursor.copy_expert(
        "COPY contacts FROM STDIN WITH (FORMAT csv, HEADER)", io.BytesIO(as_csv(rows))
    )


def test_tables_are_found_and_previewed(api, shop, settings_of):
    fill(shop, contacts(150))
    connection = connect(api, "sql", settings_of)
    url = f"/api/v1/connections/{connection}"

    schemas = api.get(f"{url}/explore/").json()["results"]
    tables = api.get(f"{url}/explore/?path=public").json()["results"]
    sample = api.post(f"{url}/preview/", {"selection": SELECTION}).json()
    unknown = api.post(f"{url}/preview/", {"selection": {"table": "nothing"}})

    assert ("folder", "public") in [(each["kind"], each["name"]) for each in schemas]
    assert [(each["kind"], each["path"]) for each in tables] == [("table", "public.contacts")]
    assert [(each["name"], each["type"]) for each in sample["columns"]] == [
        ("contactid", "string"),
        ("firstname", "string"),
        ("emailaddress1", "string"),
        ("modifiedon", "date-time"),
    ]
    assert len(sample["rows"]) == 100
    assert unknown.status_code == 422
    assert unknown.json()["detail"] == "There is no table 'nothing'."


def test_a_second_run_takes_only_what_is_new(api, sandbox, shop, settings_of, people):
    fill(shop, contacts(30, a_second=10))
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)

    assert run(api, flow)["stored_records"] == 30
    assert marker(api, flow) == {"value": "2026-01-01T00:00:02+00:00"}
    fill(shop, contacts(5, first=30, a_second=10))  # some of the second that was the last
    shop.execute(
        "INSERT INTO contacts VALUES ('late', 'Late', 'l@luma.example', '2026-01-01T00:00:02Z')"
    )
    shop.execute(
        "UPDATE contacts SET firstname = 'New', modifiedon = '2026-01-02Z' WHERE contactid = 'c-1'"
    )
    second = run(api, flow)

    assert (second["state"], second["stored_records"]) == ("success", 7)
    assert second["marker_before"] == {"value": "2026-01-01T00:00:02+00:00"}
    assert second["marker_after"] == {"value": "2026-01-02T00:00:00+00:00"}
    assert run(api, flow)["stored_records"] == 0
    names = [f"P{n}" for n in range(35)]
    assert stored_names(sandbox) == sorted([*names, "Late", "New"])


def test_rows_that_were_never_changed_come_with_the_first_run(
    api, sandbox, shop, settings_of, people
):
    fill(shop, contacts(3))
    shop.execute("INSERT INTO contacts VALUES ('n', 'Never', 'n@luma.example', NULL)")
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)

    assert [run(api, flow)["stored_records"], run(api, flow)["stored_records"]] == [4, 0]
    assert stored_names(sandbox) == ["Never", "P0", "P1", "P2"]


def test_rows_that_appear_later_than_they_are_dated_are_looked_back_for(
    api, sandbox, shop, settings_of, people
):
    fill(shop, contacts(60, a_second=1))
    selection = {**SELECTION, "overlap_seconds": 10}
    flow = make_flow(api, connect(api, "sql", settings_of), selection, people)
    run(api, flow)
    shop.execute("INSERT INTO contacts VALUES ('l', 'Late', 'l@x.example', '2026-01-01T00:00:52Z')")

    second, third = run(api, flow), run(api, flow)

    assert (second["stored_records"], third["stored_records"]) == (1, 0)
    assert counted(sandbox) == (61, 61)


def test_the_mark_stays_where_it_is_when_the_newest_row_is_deleted(
    api, sandbox, shop, settings_of, people
):
    fill(shop, contacts(10, a_second=1))
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)
    run(api, flow)
    before = marker(api, flow)
    shop.execute("DELETE FROM contacts WHERE modifiedon > '2026-01-01T00:00:05Z'")

    assert run(api, flow)["stored_records"] == 0
    assert marker(api, flow) == before


def test_a_batch_that_fails_leaves_the_mark(api, sandbox, shop, settings_of, people):
    fill(shop, contacts(10))
    shop.execute("UPDATE contacts SET emailaddress1 = 'no mail' WHERE contactid = 'c-3'")
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people, partial_percent=0)

    failed = run(api, flow)
    assert (failed["state"], failed["failed_records"], marker(api, flow)) == ("failed", 1, None)
    assert counted(sandbox) == (0, 0)
    shop.execute("UPDATE contacts SET emailaddress1 = 'a@luma.example' WHERE contactid = 'c-3'")

    assert run(api, flow)["stored_records"] == 10
    assert counted(sandbox) == (10, 10)


def test_a_window_is_read_again_and_moves_no_mark(api, sandbox, shop, settings_of, people):
    fill(shop, contacts(60, a_second=1))
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)
    run(api, flow)
    before = marker(api, flow)

    window = {"window_start": "2026-01-01T00:00:10Z", "window_end": "2026-01-01T00:00:20Z"}
    again = run(api, flow, **window)

    assert (again["stored_records"], marker(api, flow)) == (10, before)
    assert counted(sandbox) == (70, 60)


def test_a_window_of_a_table_without_a_delta_column_is_refused(api, shop, settings_of, people):
    flow = make_flow(api, connect(api, "sql", settings_of), {"table": "public.contacts"}, people)

    refused = api.post(f"/api/v1/flows/{flow}/run/", {"window_start": "2026-01-01T00:00:10Z"})

    assert refused.status_code == 422
    assert api.get(f"/api/v1/flows/{flow}/runs/").json()["results"] == []


def test_what_is_read_is_not_changed_under_a_run(api, shop, settings_of, people):
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)
    start(api, flow)

    refused = api.patch(f"/api/v1/flows/{flow}/", {"selection": {"table": "other"}})
    same = api.patch(f"/api/v1/flows/{flow}/", {"selection": SELECTION, "name": "Other"})

    assert (refused.status_code, refused.json()["code"]) == (409, "run_active")
    assert (same.status_code, same.json()["name"]) == (200, "Other")
    assert same.json()["selection"]["table"] == "public.contacts"
    work()


def test_a_connection_that_breaks_while_rows_come_is_told_and_tried_again(
    api, sandbox, shop, settings_of, people, monkeypatch
):
    fill(shop, contacts(5_000))
    flow = make_flow(api, connect(api, "sql", settings_of), SELECTION, people)
    real = sql_source.json_row
    seen = []

    def breaks(row):
        seen.append(row)
        if len(seen) == 2_500:
            shop.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return real(row)

    monkeypatch.setattr(sql_source, "json_row", breaks)
    run_id = start(api, flow)
    work(forgiving=True)

    told = api.get(f"/api/v1/flow-runs/{run_id}/").json()
    assert (told["state"], marker(api, flow)) == ("retrying", None)
    assert "closed" in told["reason"] or "terminat" in told["reason"]
    assert counted(sandbox) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong-secret"}, "authentication failed"),
        ({"url": "postgresql+psycopg2://cdp@127.0.0.1:1/x"}, "refused"),
        ({"url": "mysql+pymysql://cdp@127.0.0.1/x"}, "no driver for 'mysql+pymysql'"),
    ],
)
def test_a_connection_that_cannot_work_says_why_and_keeps_its_secret(
    api, shop, settings_of, changes, said
):
    settings = {**settings_of, **changes}
    made = api.post("/api/v1/connections/", {"name": "C", "kind": "sql", "settings": settings})
    assert made.status_code == 201, made.json()

    tried = api.post(f"/api/v1/connections/{made.json()['id']}/test/")

    assert (tried.status_code, tried.json()["code"]) == (422, "source_failed")
    assert said in tried.json()["detail"]
    assert settings["password"] not in tried.content.decode()


@pytest.mark.parametrize("column", ["tags", "missing"])
def test_a_column_that_cannot_tell_what_is_new_fails_the_run(
    api, shop, settings_of, people, column
):
    shop.execute("ALTER TABLE contacts ADD tags jsonb")
    selection = {**SELECTION, "delta_column": column}
    flow = make_flow(api, connect(api, "sql", settings_of), selection, people)

    told = run(api, flow)

    assert (told["state"], f"'{column}'" in told["reason"]) == ("failed", True)
