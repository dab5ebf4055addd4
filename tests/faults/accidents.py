"""What happens to the platform: everything is killed, Redis is emptied, Redis is paused."""

import random
import signal
import time
from collections.abc import Callable

import redis

from tests.faults.platform import Platform

VICTIMS = ("worker", "web", "events", "redis", "postgres")


def kill_each(
    platform: Platform, times: int, seconds: float, say: Callable[[str], None]
) -> dict[str, int]:
    """Kill each program so many times, at random moments within so many seconds.

    Half-way, Redis is emptied. Returns how often each was killed.
    """
    victims = list(VICTIMS) * times
    random.shuffle(victims)
    pauses = [random.random() for _ in victims]
    killed = dict.fromkeys(VICTIMS, 0)
    for number, (victim, pause) in enumerate(zip(victims, pauses, strict=True)):
        time.sleep(seconds * pause / sum(pauses))
        if number == len(victims) // 2:
            empty_redis(platform)
            say("Redis is emptied")
        what = platform.kill(victim)
        killed[victim] += 1
        say(f"kill {number + 1} of {len(victims)}: {what}")
    return killed


def empty_redis(platform: Platform) -> None:
    """Remove everything from Redis, as soon as it answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with redis.Redis.from_url(platform.redis(), socket_timeout=2) as client:
                client.flushall()
                return
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def pause_redis(platform: Platform, seconds: float) -> tuple[float, float]:
    """Stop Redis where it stands for some seconds; return when that was."""
    begun = time.monotonic()
    platform.send("redis", signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        platform.send("redis", signal.SIGCONT)
    return begun, time.monotonic()
