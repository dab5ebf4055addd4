"""Rate limits: told, held, and never in the way of the work."""

import socket
import time

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cdp.api import throttling
from cdp.api.throttling import RateLimiter, parse_rate
from tests.factories import api_client


def test_the_limit_is_told_in_headers(api, settings):
    settings.API_RATE_LIMIT = "10/hour"

    first, second = api.get("/api/v1/me/"), api.get("/api/v1/me/")

    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("10", "9")
    assert second["RateLimit-Remaining"] == "8"
    assert 0 < int(second["RateLimit-Reset"]) <= 3_600


def test_over_the_limit_is_429_for_this_credential_alone(api, organization, settings):
    settings.API_RATE_LIMIT = "2/hour"
    api.get("/api/v1/me/")
    api.get("/api/v1/me/")

    answer = api.get("/api/v1/me/")

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 3_600
    assert answer["RateLimit-Remaining"] == "0"
    assert api_client(organization).get("/api/v1/me/").status_code == 200


@pytest.fixture
def silent_redis():
    """Something that takes connections and never answers, as a paused Redis does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Redis(
            port=server.getsockname()[1],
            socket_timeout=throttling.PATIENCE,
            socket_connect_timeout=throttling.PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )


def test_a_silent_redis_costs_a_moment_once(silent_redis):
    limiter = RateLimiter(silent_redis)
    start = time.monotonic()

    verdicts = [limiter.ask("key", "1/min") for _ in range(100)]

    assert verdicts == [None] * 100
    assert time.monotonic() - start < 3 * throttling.PATIENCE


def test_requests_pass_while_redis_is_away(api, monkeypatch):
    away = RateLimiter(Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0)))
    monkeypatch.setattr(throttling, "limiter", lambda: away)

    answer = api.get("/api/v1/me/")

    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer


@pytest.mark.parametrize(
    ("rate", "parsed"), [("5/s", (5, 1)), ("60/min", (60, 60)), ("7/hour", (7, 3_600))]
)
def test_rates_are_read(rate, parsed):
    assert parse_rate(rate) == parsed
