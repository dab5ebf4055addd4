"""Redis: write its configuration, say how it is started, say whether it answers."""

import os
import signal
from contextlib import suppress

import redis

from cdp.engines import owner
from cdp.engines.binaries import redis_server
from cdp.engines.place import Place
from cdp.engines.urls import redis_url

STOP = signal.SIGTERM

# It may be wiped or gone at any moment, so it keeps nothing on disk.
CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
save ""
appendonly no
databases 16
maxmemory 512mb
# Only what has an expiry (caches, rate limits) may be pushed out; the broker's lists stay.
maxmemory-policy volatile-lru
daemonize no
"""


def prepare(place: Place) -> list[str]:
    """Write the configuration, which holds the password, and return the command to run."""
    place.open()
    place.redis.mkdir(mode=0o700, exist_ok=True)
    text = CONFIGURATION.format(
        socket=place.sockets() / "redis.sock", password=place.secret("redis")
    )
    draft = place.redis / f"redis.conf.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(text)
    owner.give(draft, place.user)
    draft.replace(place.redis / "redis.conf")
    owner.give(place.redis, place.user)
    return [
        str(redis_server(place)),
        f"{owner.working_directory(place.redis, place.user)}/redis.conf",
    ]


def is_ready(place: Place) -> bool:
    """Tell whether Redis answers to its password."""
    with (
        suppress(redis.ConnectionError, redis.TimeoutError),
        redis.Redis.from_url(redis_url(place), socket_timeout=2) as client,
    ):
        return bool(client.ping())
    return False
