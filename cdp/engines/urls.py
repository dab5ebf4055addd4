"""The three addresses: where they come from, how they are written and read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from cdp.engines.place import Place
from cdp.engines.port import event_store_port

VARIABLES = {"database": "DATABASE_URL", "redis": "REDIS_URL", "clickhouse": "CLICKHOUSE_URL"}


@dataclass(frozen=True)
class Urls:
    """Where the three stores answer."""

    database: str
    redis: str
    clickhouse: str
    place: Place

    def secret(self, name: str) -> str:
        """Return a secret that this data folder keeps, such as the one that signs sessions."""
        return self.place.secret(name)

    def as_environment(self) -> dict[str, str]:
        """Return the variables that make another process use these stores.

        >>> Urls("postgres:///a", "redis://b", "http://c", Place(Path("/d"))).as_environment()["REDIS_URL"]
        'redis://b'
        """
        named = {variable: getattr(self, name) for name, variable in VARIABLES.items()}
        return named | {"CDP_DATA": str(self.place.root)}


def current_urls(data: Path) -> Urls:
    """Return the addresses to use: the environment's first, then the embedded engines'.

    Starts nothing. A variable that is set replaces its engine, and nothing is
    written for it.
    """
    place = Place(data)
    return Urls(
        database=os.environ.get("DATABASE_URL") or postgres_url(place),
        redis=os.environ.get("REDIS_URL") or redis_url(place),
        clickhouse=os.environ.get("CLICKHOUSE_URL") or clickhouse_url(place),
        place=place,
    )


def postgres_url(place: Place, role: str = "cdp", database: str = "cdp") -> str:
    """Return the address of the embedded PostgreSQL for one of its two roles."""
    password = place.secret(f"postgres-{role}")
    return f"postgres://{role}:{password}@/{database}?host={quote(str(place.sockets()), safe='/')}"


def redis_url(place: Place) -> str:
    """Return the address of the embedded Redis."""
    return f"unix://:{place.secret('redis')}@{quote(str(place.sockets()))}/redis.sock?db=0"


def clickhouse_url(place: Place) -> str:
    """Return the address of the embedded event store."""
    return f"http://cdp:{place.secret('clickhouse')}@127.0.0.1:{event_store_port(place)}/default"


def broker_url(redis: str) -> str:
    """Return the address of a Redis as Celery writes it.

    >>> broker_url("unix://:pw@/tmp/x/redis.sock?db=0")
    'redis+socket://:pw@/tmp/x/redis.sock?virtual_host=0'
    >>> broker_url("rediss://cache.example/1")
    'rediss://cache.example/1'
    """
    if not redis.startswith("unix://"):
        return redis
    return redis.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def parse_database_url(url: str) -> dict[str, Any]:
    """Return what Django's DATABASES wants for a PostgreSQL address.

    What follows the question mark goes to the driver, `host` excepted: a socket's
    directory does not fit between `@` and `/`.

    >>> parse_database_url("postgres://cdp:p%40w@/cdp?host=/run/cdp")["HOST"]
    '/run/cdp'
    >>> parse_database_url("postgresql://u:p@db.example:6432/app?sslmode=require")["OPTIONS"]
    {'sslmode': 'require'}
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            "DATABASE_URL must begin with postgres:// (no other database is supported)."
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
