"""Files on S3, on SFTP and on a disk: each version once, and none that is not one's own."""

import gzip
import os
import sys
from unittest.mock import patch

import pytest
from django.utils import timezone
from s3fs import S3FileSystem

from cdp.datasets.services import flow_work
from cdp.datasets.sources import reach, stores
from cdp.datasets.sources.places import place_of
from cdp.outgoing.accounts import Account
from tests.datasets.flowing import (
    as_csv,
    as_parquet,
    connect,
    contacts,
    counted,
    make_flow,
    make_people,
    read_run,
    run,
    start,
    work,
)
from tests.datasets.making import make_dataset
from tests.datasets.servers.s3 import BUCKET, SECRET, s3_server
from tests.datasets.servers.sftp import PASSWORD, sftp_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
CSV = {"format": "csv", "pattern": "*.csv"}


@pytest.fixture(scope="module")
def s3():
    with s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def sftp(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sftp")
    with sftp_server(folder) as server:
        yield server, folder


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.SOURCE_DIR = tmp_path / "sources"
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture
def people(sandbox):
    return make_people(sandbox)


@pytest.fixture
def local(settings, sandbox):
    folder = settings.SOURCE_DIR / str(sandbox.pk)
    folder.mkdir(parents=True)
    return folder


def try_out(api, settings):
    made = api.post("/api/v1/connections/", {"name": "C", "kind": "files", "settings": settings})
    assert made.status_code == 201, made.json()
    return api.post(f"/api/v1/connections/{made.json()['id']}/test/")


def test_objects_of_s3_are_found_previewed_and_each_version_read_once(api, sandbox, s3, people):
    s3.put("a/day/1.csv", as_csv(contacts(150)))
    s3.put("a/notes.txt", b"no rows")
    connection = connect(api, "files", {"url": f"s3://{BUCKET}/a", **s3.settings})
    url = f"/api/v1/connections/{connection}"

    entries = api.get(f"{url}/explore/").json()["results"]
    sample = api.post(f"{url}/preview/", {"selection": {**CSV, "path": "day"}}).json()
    flow = make_flow(api, connection, {**CSV, "recursive": True}, people)
    first = run(api, flow)
    s3.put("a/day/2.csv", as_csv(contacts(7, first=150)))
    second, third = run(api, flow), run(api, flow)
    s3.put("a/day/2.csv", as_csv(contacts(9, first=150)))
    replaced = run(api, flow)

    assert [(each["kind"], each["name"]) for each in entries] == [
        ("folder", "day"),
        ("file", "notes.txt"),
    ]
    assert (len(sample["rows"]), sample["rows"][0]["firstname"]) == (100, "P0")
    assert [each["stored_records"] for each in (first, second, third, replaced)] == [150, 7, 0, 9]
    assert (first["input_files"], first["input_bytes"]) == (1, len(as_csv(contacts(150))))
    assert counted(sandbox) == (166, 159)


def test_an_object_that_is_replaced_while_it_is_read_is_never_half_of_each(
    api, sandbox, s3, people, monkeypatch
):
    monkeypatch.setattr(stores, "_BLOCK", 50_000)
    monkeypatch.setattr("cdp.datasets.sources.files._BLOCK", 50_000)
    s3.put("b/1.csv", as_csv(contacts(4_000)))
    connection = connect(api, "files", {"url": f"s3://{BUCKET}/b", **s3.settings})
    flow = make_flow(api, connection, CSV, people)
    real = flow_work._Watch.__call__
    replaced = []

    def replace(self):
        if not replaced:
            s3.put("b/1.csv", as_csv(contacts(4_000, first=50_000)))
            replaced.append(True)
        real(self)

    monkeypatch.setattr(flow_work._Watch, "__call__", replace)
    run_id = start(api, flow)
    work(forgiving=True)
    assert read_run(api, run_id)["state"] == "retrying"
    assert counted(sandbox) == (0, 0)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_files_of_sftp_are_found_previewed_and_read(api, sandbox, sftp, people, format_):
    server, folder = sftp
    (folder / format_ / "deep").mkdir(parents=True)
    body = (as_csv if format_ == "csv" else as_parquet)(contacts(3_000))
    (folder / format_ / "deep" / f"a.{format_}").write_bytes(body)
    settings = {"url": f"{server.url}/{format_}", "password": PASSWORD}
    connection = connect(api, "files", {**settings, "host_key": server.host_key})
    url = f"/api/v1/connections/{connection}"

    entries = api.get(f"{url}/explore/?path=deep").json()["results"]
    sample = api.post(
        f"{url}/preview/", {"selection": {"format": format_, "path": f"deep/a.{format_}"}}
    ).json()
    flow = make_flow(api, connection, {"format": format_, "recursive": True}, people)
    told = run(api, flow)

    assert [(each["path"], each["size"]) for each in entries] == [(f"deep/a.{format_}", len(body))]
    assert len(sample["rows"]) == 100
    assert (told["state"], told["stored_records"], told["input_bytes"]) == (
        "success", 3_000, len(body),
    )  # fmt: skip
    assert counted(sandbox) == (3_000, 3_000)


def test_a_private_key_opens_sftp_and_a_stranger_server_is_refused(api, sftp):
    server, _ = sftp
    with_key = {"url": server.url, "private_key": server.private_key}
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8kqTq0dW8mYvXc8vLxgO0xkbgZoP3X2c5y2oTQ3GzH"

    assert try_out(api, with_key).status_code == 200
    api.delete(f"/api/v1/connections/{api.get('/api/v1/connections/').json()['results'][0]['id']}/")
    stranger = try_out(api, {"url": server.url, "password": PASSWORD, "host_key": other})

    assert stranger.status_code == 422
    assert "does not match" in stranger.json()["detail"]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(
    api, sandbox, local, people, monkeypatch
):
    (local / "a.csv").write_bytes(as_csv(contacts(10)))
    (local / "b.csv").write_bytes(as_csv(contacts(10, first=10)))
    flow = make_flow(api, connect(api, "files", {"url": "file:///"}), CSV, people)
    real, grown = flow_work._Watch.__call__, []

    def grow(self):
        if not grown:
            (local / "a.csv").write_bytes(as_csv(contacts(12, first=100)))
            grown.append(True)
        real(self)

    monkeypatch.setattr(flow_work._Watch, "__call__", grow)

    first, second, third = run(api, flow), run(api, flow), run(api, flow)

    assert [each["stored_records"] for each in (first, second, third)] == [10, 12, 0]
    assert counted(sandbox) == (22, 22)


def test_a_run_that_is_cancelled_while_it_reads_stops_and_keeps_nothing(
    api, sandbox, local, people, monkeypatch
):
    (local / "a.csv").write_bytes(as_csv(contacts(10)))
    flow = make_flow(api, connect(api, "files", {"url": "file:///"}), CSV, people)
    run_id = start(api, flow)

    def cancel(self):
        assert api.post(f"/api/v1/flow-runs/{run_id}/cancel/").status_code == 200
        self.look()

    monkeypatch.setattr(flow_work._Watch, "__call__", cancel)
    work()

    assert read_run(api, run_id)["state"] == "cancelled"
    assert counted(sandbox) == (0, 0)
    monkeypatch.undo()


def test_names_that_are_no_text_are_files_like_others(api, sandbox, local, people):
    odd = local / os.fsdecode(b"\xff")
    odd.mkdir()
    (odd / os.fsdecode(b"n\n\xfe.csv")).write_bytes(as_csv(contacts(1, first=2)))
    long = "x" * 200
    for number in range(2):
        folder = local / long / f"{number}{long}"
        folder.mkdir(parents=True)
        (folder / f"{long}.csv").write_bytes(as_csv(contacts(1, first=number)))
    flow = make_flow(
        api, connect(api, "files", {"url": "file:///"}), {**CSV, "recursive": True}, people
    )

    first, second = run(api, flow), run(api, flow)

    assert (first["state"], first["stored_records"], second["stored_records"]) == ("success", 3, 0)
    assert counted(sandbox) == (3, 3)


def test_links_and_pipes_lead_nowhere(api, local, people, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.csv").write_bytes(as_csv(contacts(3)))
    (local / "link").symlink_to(tmp_path / "secret")
    (local / "l.csv").symlink_to(tmp_path / "secret" / "s.csv")
    os.mkfifo(local / "p.csv")
    connection = connect(api, "files", {"url": "file:///"})
    url = f"/api/v1/connections/{connection}"

    shown = api.get(f"{url}/explore/").json()["results"]
    paths = ("link", "l.csv", "link/s.csv", "../..", "a/../../b")
    tried = [
        api.post(f"{url}/preview/", {"selection": {**CSV, "path": path}}).status_code
        for path in paths
    ]
    through = try_out(api, {"url": "file:///link"})
    flow = make_flow(api, connection, {**CSV, "recursive": True}, people)

    assert shown == []
    assert tried == [422] * 5
    assert (through.status_code, str(tmp_path) in through.content.decode()) == (422, False)
    assert run(api, flow)["stored_records"] == 0


def test_a_wrong_secret_is_refused_clearly_and_nowhere_repeated(api, s3, sftp, caplog, capsys):
    wrong = "wrong-and-secret"
    tried = [
        try_out(api, {"url": "s3://nowhere-at-all/x", **s3.settings}),
    ]
    api.delete(f"/api/v1/connections/{api.get('/api/v1/connections/').json()['results'][0]['id']}/")
    tried.append(try_out(api, {"url": sftp[0].url, "password": wrong}))

    assert [each.status_code for each in tried] == [422, 422]
    assert tried[0].json()["detail"] == "There is no such folder or file."
    assert tried[1].json()["detail"] == "Authentication failed."
    everything = caplog.text + "".join(capsys.readouterr())
    everything += api.get("/api/v1/audit-events/").content.decode()
    assert (wrong in everything, SECRET in everything) == (False, False)


def test_a_name_that_leads_inside_later_is_not_followed(api, monkeypatch):
    given = {"url": "s3://bucket/x", "endpoint_url": "https://inner.example.com"}
    answers = ["93.184.215.14"]

    def reachable(host, port, allowed):
        if answers:
            return answers.pop()
        raise reach.AddressRefused(f"{host} leads to an address inside a private network.")

    monkeypatch.setattr(reach, "reachable", reachable)
    monkeypatch.setattr(S3FileSystem, "retries", 1)

    tried = try_out(api, given)

    assert tried.status_code == 422
    assert answers == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "s3://b/x", "key": "only"}, "belong together"),
        ({"url": "s3://u@b:80/x"}, "no name of a bucket"),
        ({"url": "s3://b/x", "endpoint_url": "http://s3.example.com"}, "Use https"),
        ({"url": "s3://b/x", "region": "evil.com#"}, "do not fit"),
        ({"url": "gs://b/x", "endpoint_url": "https://s3.example.com"}, "for s3:// only"),
        ({"url": "gs://b/x", "token": "/etc/passwd"}, "JSON key of a service account"),
        ({"url": "gs://b/x", "token": '{"type": "external_account"}'}, "service account"),
        ({"url": "abfs://box/x", "secret": "s"}, "name of the storage account"),
        ({"url": "sftp://u@h/x", "private_key": "nonsense"}, "no key that can be read"),
    ],
)
def test_settings_that_lead_astray_are_refused(api, given, said):
    response = api.post("/api/v1/connections/", {"name": "C", "kind": "files", "settings": given})

    assert response.status_code == 422
    assert said in response.json()["detail"]
    assert api.get("/api/v1/connections/").json()["results"] == []


@pytest.mark.parametrize(
    ("url", "given", "wanted"),
    [
        ("s3://b/x", {}, {"anon": True}),
        ("s3://b/x", {"key": "k", "secret": "s"}, {"anon": False, "key": "k", "secret": "s"}),
        ("gs://b/x", {}, {"token": "anon"}),
        (
            "gs://b/x",
            {"token": '{"type": "service_account", "token_uri": "http://10.0.0.1/"}'},
            {
                "token": {
                    "type": "service_account",
                    "token_uri": "https://oauth2.googleapis.com/token",
                }
            },
        ),
        ("abfs://b/x", {"key": "luma"}, {"account_name": "luma", "anon": True}),
        (
            "abfs://b/x",
            {"key": "luma", "token": "sig"},
            {"account_name": "luma", "sas_token": "sig", "anon": False},
        ),
    ],
)
def test_no_store_is_opened_with_rights_of_our_own(url, given, wanted):
    place = place_of(url)

    options = stores._OPTIONS[place.protocol](Account({"url": url, **given}, {}), place)

    assert wanted.items() <= options.items()


def test_clouds_whose_driver_is_missing_say_how_to_get_it(api):
    with patch.dict(sys.modules, {"gcsfs": None}):
        tried = try_out(api, {"url": "gs://bucket/x"})

    assert tried.status_code == 422
    assert "cdp[clouds]" in tried.json()["detail"]


def test_files_older_than_the_flow_are_left_without_backfill(api, local, people):
    (local / "old.csv").write_bytes(as_csv(contacts(5)))
    past = timezone.now().timestamp() - 100
    os.utime(local / "old.csv", (past, past))
    flow = make_flow(api, connect(api, "files", {"url": "file:///"}), CSV, people, backfill=False)

    assert run(api, flow)["stored_records"] == 0


@pytest.mark.acceptance("A-10")
def test_an_analytics_feed_becomes_web_events(api, sandbox, local):
    header = ["hitid", "date_time", "pagename", "page_url", "user_agent"]
    hits = [
        f"{n}\t2026-01-01 10:00:{n:02}\tHome\thttps://luma.example/{n}\tFirefox" for n in range(20)
    ]
    (local / "hit_data.tsv.gz").write_bytes(gzip.compress("\n".join(hits).encode()))
    web = make_dataset(sandbox, name="Web", profile_enabled=False)
    connection = connect(api, "analytics-data-feed", {"url": "file:///"})
    selection = {"format_options": {"header": header}}
    suggested = api.post(
        "/api/v1/mapping-sets/suggest/",
        {"schema_id": web.schema_id, "connection_id": connection, "selection": selection},
    ).json()["suggestions"]
    rules = [each["rule"] for each in suggested]
    rules.append({"kind": "constant", "source": "web.webpagedetails.pageViews",
                  "destination": "eventType"})  # fmt: skip
    mapping = api.post(
        "/api/v1/mapping-sets/", {"name": "Hits", "schema_id": web.schema_id, "rules": rules}
    ).json()
    flow = api.post(
        "/api/v1/flows/",
        {
            "name": "Hits",
            "connection_id": connection,
            "selection": selection,
            "dataset_id": web.pk,
            "mapping_set_id": mapping["id"],
        },
    ).json()

    told = run(api, flow["id"])

    assert {each["destination"] for each in rules} == {
        "_id", "timestamp", "web.webPageDetails.name", "web.webPageDetails.URL",
        "environment.browserDetails.userAgent", "eventType",
    }  # fmt: skip
    assert (told["state"], told["stored_records"], told["failed_records"]) == ("success", 20, 0)
    rows = api.get(f"/api/v1/datasets/{web.pk}/rows/?limit=1").json()["results"]
    assert rows[0]["record"]["web"]["webPageDetails"]["name"] == "Home"
