from pathlib import Path

import pytest

from cdp.engines.urls import broker_url, current_urls, parse_database_url


def test_variables_replace_the_engines_and_write_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://a:b@db.example/c")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    monkeypatch.setenv("CLICKHOUSE_URL", "http://e:f@events.example:8123/g")

    urls = current_urls(tmp_path / "data")

    assert urls.as_environment() == {
        "DATABASE_URL": "postgres://a:b@db.example/c",
        "REDIS_URL": "redis://cache.example/0",
        "CLICKHOUSE_URL": "http://e:f@events.example:8123/g",
        "CDP_DATA": str(tmp_path / "data"),
    }
    assert not (tmp_path / "data").exists()


def test_without_variables_the_addresses_are_the_engines_and_stay_the_same(tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL"):
        monkeypatch.delenv(name)

    first, second = current_urls(tmp_path), current_urls(tmp_path)

    assert first == second
    sockets = (tmp_path / "sockets").read_text()
    assert parse_database_url(first.database)["HOST"] == sockets
    assert first.redis.endswith(f"@{sockets}/redis.sock?db=0")
    assert first.clickhouse.startswith("http://cdp:")
    Path(sockets).rmdir()


def test_a_database_address_is_read_into_djangos_words():
    assert parse_database_url("postgresql://u%40x:p%2Fw@db.example:6432/app?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "app",
        "USER": "u@x",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_database_is_refused():
    with pytest.raises(ValueError, match="no other database is supported"):
        parse_database_url("mysql://u:p@db.example/app")


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("unix://:p@/run/r.sock?db=0", "redis+socket://:p@/run/r.sock?virtual_host=0"),
        ("redis://cache.example:6379/1", "redis://cache.example:6379/1"),
    ],
)
def test_celery_gets_its_own_form_of_the_address(redis, broker):
    assert broker_url(redis) == broker
