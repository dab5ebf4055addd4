"""Every route. Each app brings its own; this file only says where they start."""

from django.contrib import admin
from django.urls import include, path

handler400 = "cdp.api.pages.bad_request"
handler403 = "cdp.api.pages.permission_denied"
handler404 = "cdp.api.pages.page_not_found"
handler500 = "cdp.api.pages.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("cdp.api.urls")),
    path("api/v1/", include("governance.api.urls")),
    path("api/v1/", include("cdp.schemas.api.urls")),
    path("api/v1/", include("profiles.api.urls")),
    path("api/v1/", include("segments.api.urls")),
    path("api/v1/", include("destinations.api.urls")),
    path("", include("cdp.datasets.doors.urls")),
    path("api/v1/", include("cdp.datasets.api.urls")),
]
