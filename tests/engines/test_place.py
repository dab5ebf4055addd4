import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cdp.engines import EngineError, owner
from cdp.engines.place import Place, data_directory


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_and_its_secrets_are_for_their_owner_alone(tmp_path):
    place = Place(tmp_path / "data")

    secret = place.secret("django")

    assert len(secret) == 43
    assert mode(place.root) == 0o700
    assert mode(place.root / "secrets") == 0o700
    assert mode(place.root / "secrets" / "django") == 0o600


def test_a_secret_asked_for_by_many_at_once_is_one(tmp_path):
    place = Place(tmp_path / "data")

    with ThreadPoolExecutor(16) as threads:
        secrets = set(threads.map(lambda _: place.secret("django"), range(64)))

    assert len(secrets) == 1
    assert [path.name for path in (place.root / "secrets").iterdir()] == ["django"]


def test_the_sockets_are_in_a_short_private_directory_that_is_kept(tmp_path):
    place = Place(tmp_path / ("a" * 100) / "data")

    sockets = place.sockets()

    assert sockets == place.sockets()
    assert mode(sockets) == 0o700
    assert len(str(sockets / ".s.PGSQL.5432")) < 103
    sockets.rmdir()


def test_sockets_that_a_reboot_took_away_or_others_can_enter_are_made_anew(tmp_path):
    place = Place(tmp_path)
    first = place.sockets()
    first.rmdir()
    second = place.sockets()
    second.chmod(0o755)

    third = place.sockets()

    assert len({first, second, third}) == 3
    assert owner.is_private(third, place.user)
    second.rmdir()
    third.rmdir()


def test_removing_takes_what_lies_outside_of_the_folder_too(tmp_path):
    place = Place(tmp_path / "data")
    sockets = place.sockets()

    place.remove()

    assert not sockets.exists()
    assert not place.root.exists()


def test_a_folder_that_cannot_be_made_is_refused_with_advice(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)

    with pytest.raises(EngineError, match="or set CDP_DATA to a folder of your own"):
        Place(tmp_path / "data").open()


def test_the_variable_says_where_the_data_are(monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_DATA", str(tmp_path))
    assert data_directory() == tmp_path

    monkeypatch.delenv("CDP_DATA")
    assert data_directory().name == ".data"
