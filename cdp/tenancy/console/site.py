"""The site: Django admin whose views see the rows of all tenants."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from cdp.tenancy.scope import bypass


class Console(AdminSite):
    """Opens the tenants' rows around each view and its rendering, for operators only."""

    site_title = "Customer Data Platform"
    site_header = "Customer Data Platform"
    index_title = "Console"
    site_url = "/api/v1/docs/"  # "View site"
    enable_nav_sidebar = True

    def admin_view(  # type: ignore[override]  # the stubs keep the name of the type to themselves
        self, view: Callable[..., Any], cacheable: bool = False
    ) -> Callable[..., Any]:
        """Wrap a view: first the check of who it is, inside of it the bypass."""
        return super().admin_view(_with_every_row(view), cacheable)


def _with_every_row(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with bypass():
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()  # its querysets are lazy
            return response

    return opened
