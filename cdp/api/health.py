"""`/healthz`, `/readyz`, `/metrics`: what watches over the installation asks."""

from collections.abc import Callable, Iterator

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cdp.clickhouse.health import ask_store
from cdp.queue.backlogs import topic_states


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers. Asks no store: restarting us would not help one."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Tell each store's state; 503 while PostgreSQL is away, without which nothing is accepted.

    Without Redis work is late, without the event store look-ups lack events; both are
    told, and requests are taken all the same.
    """
    stores = {name: _state(ask) for name, ask in _STORES.items()}
    ready = stores["postgres"] == "ready"
    answer = {"status": "ready" if ready else "not ready", "stores": stores}
    return JsonResponse(answer, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the installation's numbers in Prometheus' form. No tenant is named in them."""
    registry = CollectorRegistry()
    registry.register(_Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Installation(Collector):
    """Numbers that are read from the stores when they are asked for, whichever worker answers."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("cdp_store_up", "Whether a store answers.", labels=["store"])
        states = {name: _state(ask) for name, ask in _STORES.items()}
        for name, state in states.items():
            up.add_metric([name], float(state == "ready"))
        yield up
        if states["postgres"] == "ready":
            yield from _queue_metrics()


def _queue_metrics() -> Iterator[Metric]:
    records = GaugeMetricFamily("cdp_queue_records", "Records that wait.", labels=["topic"])
    buried = GaugeMetricFamily("cdp_queue_buried", "Rows put aside.", labels=["topic"])
    oldest = GaugeMetricFamily(
        "cdp_queue_oldest_seconds", "Age of the oldest row that may be worked on.", labels=["topic"]
    )
    for state in topic_states():
        records.add_metric([state.topic], float(state.records))
        buried.add_metric([state.topic], float(state.buried))
        oldest.add_metric([state.topic], state.oldest_age.total_seconds())
    yield from (records, buried, oldest)


def _ask_postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    cache.get("readyz")


_STORES: dict[str, Callable[[], None]] = {
    "postgres": _ask_postgres,
    "redis": _ask_redis,
    "events": ask_store,
}


def _state(ask: Callable[[], None]) -> str:
    try:
        ask()
    except Exception as error:
        return f"away: {type(error).__name__}"
    return "ready"
