"""Flows whose worker is killed, at each step and at any moment: none lost, none twice."""

import random
import time

import pytest

from tests.datasets.flowing import (
    connect,
    counted,
    make_flow,
    make_people,
    marker,
    read_run,
    start,
    work,
)
from tests.datasets.flowing import run as run_flow
from tests.datasets.killing import first_of, fork_worker, kill, kill_at
from tests.datasets.offers import OFFERS, apart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
ROWS = 5_500  # more than one chunk of the store, more than one page of each API
MANY = 100_000
QUICK = ["sql", "s3-csv", "s3-parquet", "sftp-csv", "dynamics"]


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    (tmp_path / "outside").mkdir()


def begin_to_write(folder, name, part, watch):
    """Write the first of a part, as the worker that is killed would."""
    with folder.writing(name) as file:
        file.writelines(first_of(part.chunks))


def is_over(api, run_id):
    return read_run(api, run_id)["state"] in ("success", "partial", "failed", "cancelled")


@pytest.mark.parametrize("name", QUICK)
def test_a_worker_killed_at_each_step_loses_and_doubles_nothing(api, sandbox, tmp_path, name):
    with apart(name, ROWS, tmp_path / "outside") as offer:
        people = make_people(sandbox)
        flow = make_flow(
            api,
            connect(api, offer.kind, offer.settings),
            offer.selection,
            people,
            names=offer.names,
        )
        run_id = start(api, flow)

        kill_at("cdp.datasets.services.flow_work._write", tmp_path / "1", after=begin_to_write)
        assert (read_run(api, run_id)["state"], marker(api, flow)) == ("reading", None)
        kill_at("cdp.datasets.services.flow_work._hand_over", tmp_path / "2")
        assert (read_run(api, run_id)["state"], marker(api, flow)) == ("reading", None)
        kill_at("cdp.datasets.services.batch_work._decide", tmp_path / "3")
        assert counted(sandbox) == (0, 0)
        kill_at("profiles.ingest.batches.settle", tmp_path / "4")  # in the store, not yet noted
        assert (read_run(api, run_id)["state"], marker(api, flow)) == ("storing", None)
        work()

        told = read_run(api, run_id)
        assert (told["state"], told["stored_records"], told["failed_records"]) == (
            "success", ROWS, 0,
        )  # fmt: skip
        assert counted(sandbox) == (ROWS, ROWS)
        again = run_flow(api, flow)
        assert (again["state"], again["stored_records"]) == ("success", 0)
        assert counted(sandbox) == (ROWS, ROWS)


@pytest.mark.long
@pytest.mark.parametrize("name", OFFERS)
def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(api, sandbox, tmp_path, name):
    with apart(name, MANY, tmp_path / "outside") as offer:
        people = make_people(sandbox)
        connection = connect(api, offer.kind, offer.settings)
        flow = make_flow(api, connection, offer.selection, people, names=offer.names)
        run_id, kills, peak = start(api, flow), 0, 0
        began = time.monotonic()

        while not is_over(api, run_id):
            pid = fork_worker()
            end = time.monotonic() + (random.uniform(0.3, 4) if kills < 8 else 600)
            while time.monotonic() < end and not is_over(api, run_id):
                time.sleep(0.05)
            peak, kills = max(peak, kill(pid)), kills + 1

        seconds = time.monotonic() - began
        rows, keys = counted(sandbox)
        print(
            f"{name}: {MANY} rows, {seconds:.1f} s, {kills} kills, {MANY - keys} lost, "
            f"{rows - keys} twice, {peak / 1e6:.0f} MB at most"
        )
        assert read_run(api, run_id)["state"] == "success"
        assert (rows, keys) == (MANY, MANY)
        assert run_flow(api, flow)["stored_records"] == 0
