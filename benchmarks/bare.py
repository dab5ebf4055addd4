"""Routes that do nothing but read a row, or a row and its events: what a look-up is held against.

They stand behind the same authentication, permission, limits and scope as all of ours.
"""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.views import SandboxViewSet
from cdp.clickhouse import client
from cdp.urls import handler400, handler403, handler404, handler500
from cdp.urls import urlpatterns as ours
from profiles.models import Identity

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_EVENTS = """
SELECT event_id, event_type, toUnixTimestamp64Milli(ts) AS at, document
FROM events
WHERE sandbox_id = {sandbox:UInt32} AND identity_id = {identity:UInt64}
ORDER BY ts DESC LIMIT 10
"""


@extend_schema(exclude=True)
class BareViewSet(SandboxViewSet):
    """One indexed read of PostgreSQL, and one of the event store if it is asked for."""

    permissions = {"*": "view-profiles"}

    def list(self, request: Request) -> Response:
        """Find an identity, and its newest events."""
        namespace, _, value = request.query_params["identity"].partition(":")
        row: dict[str, Any] = dict(
            Identity.objects.for_sandbox(self.sandbox)
            .values("id", "namespace", "value", "profile_id", "created_at")
            .get(namespace=namespace, value=value)
        )
        if "events" in request.query_params:
            row["events"] = client.fetch_text(
                _EVENTS,
                sandbox=self.sandbox,
                params={"identity": row["id"]},
                budget=client.POINT,
            )
        return Response(row)


urlpatterns = [*ours, path("api/v1/bare/", BareViewSet.as_view({"get": "list"}))]
