"""Routes of tenancy, of tokens and of the API's own document."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from cdp.api.document import DocumentView
from cdp.api.health import healthz, metrics, readyz
from cdp.api.resources.credentials import CredentialsViewSet
from cdp.api.resources.jobs import JobsViewSet
from cdp.api.resources.me import MeViewSet
from cdp.api.resources.organizations import OrganizationsViewSet, OrganizationView
from cdp.api.resources.queue import BuriedItemsViewSet, StagesViewSet
from cdp.api.resources.records import AuditEventsViewSet, UsageViewSet
from cdp.api.resources.roles import PermissionsViewSet, RolesViewSet
from cdp.api.resources.sandboxes import SandboxesViewSet, SandboxLifeViewSet
from cdp.api.resources.write_keys import WriteKeysViewSet
from cdp.api.routers import Router
from cdp.api.tokens import TokenView

router = Router()
router.register("organizations", OrganizationsViewSet, "organizations")
router.register("sandboxes", SandboxesViewSet, "sandboxes")
router.register("credentials", CredentialsViewSet, "credentials")
router.register("write-keys", WriteKeysViewSet, "write-keys")
router.register("roles", RolesViewSet, "roles")
router.register("permissions", PermissionsViewSet, "permissions")
router.register("jobs", JobsViewSet, "jobs")
router.register("stages", StagesViewSet, "stages")
router.register("buried-items", BuriedItemsViewSet, "buried-items")
router.register("usage", UsageViewSet, "usage")
router.register("audit-events", AuditEventsViewSet, "audit-events")

api: list[URLPattern | URLResolver] = [
    *router.urls,
    path(
        "organization/",
        OrganizationView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="organization",
    ),
    path(
        "sandboxes/<str:name>/reset/",
        SandboxLifeViewSet.as_view({"post": "reset"}),
        name="sandbox-reset",
    ),
    path(
        "sandboxes/<str:name>/copy/",
        SandboxLifeViewSet.as_view({"post": "copy"}),
        name="sandbox-copy",
    ),
    path("me/", MeViewSet.as_view({"get": "retrieve"}), name="me"),
    path("schema/", DocumentView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("oauth/token/", TokenView.as_view(), name="token"),
    path("api/v1/", include(api)),
]
