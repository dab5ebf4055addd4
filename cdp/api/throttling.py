"""Rate limits, counted in Redis and never in the way when Redis is.

A limit protects others from a flood; it is not worth an error. When Redis does not
answer at once, everything is let through and Redis is left alone for some seconds.
"""

import time
from dataclasses import dataclass
from functools import cache

import structlog
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cdp.tenancy.authentication import Caller

PATIENCE = 0.1  # seconds that a request waits for Redis
REST = 5.0  # seconds that Redis is left alone after it did not answer
_SECONDS = {"s": 1, "sec": 1, "min": 60, "hour": 3_600}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what its answer says of the limit."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the client."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """Counts requests in windows of fixed length, all processes together."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._resting_until = 0.0

    def ask(self, key: str, rate: str) -> Verdict | None:
        """Count one request; return None if nobody is there to count."""
        limit, seconds = parse_rate(rate)
        if time.monotonic() < self._resting_until:
            return None
        window, since = divmod(int(time.time()), seconds)
        name = f"rate:{key}:{window}"
        try:
            count = self._redis.incr(name)
            if count == 1:
                self._redis.expire(name, seconds + 1)
        except (RedisError, OSError) as error:
            self._resting_until = time.monotonic() + REST
            log.warning("rate_limits_open", reason=str(error))
            return None
        return Verdict(count <= limit, limit, max(0, limit - count), seconds - since)


class CredentialThrottle(BaseThrottle):
    """Limits what one credential may ask (`CDP_RATE_LIMIT`)."""

    def __init__(self) -> None:
        self._reset: int | None = None

    def allow_request(self, request: Request, view: object) -> bool:
        if not isinstance(request.user, Caller):
            return True  # what is open to everybody, such as the API's own document
        verdict = limiter().ask(request.user.id, settings.API_RATE_LIMIT)
        if verdict is None:
            return True
        request.rate_headers = verdict.headers()  # type: ignore[attr-defined]  # the view sends them
        self._reset = verdict.reset
        return verdict.allowed

    def wait(self) -> int | None:
        return self._reset


@cache
def limiter() -> RateLimiter:
    """Return this process' limiter."""
    return RateLimiter(
        Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
    )


@cache
def parse_rate(rate: str) -> tuple[int, int]:
    """Return requests and seconds.

    >>> parse_rate("6000/min")
    (6000, 60)
    """
    count, _, unit = rate.partition("/")
    return int(count), _SECONDS[unit]
