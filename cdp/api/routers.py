"""Routes of the API."""

from typing import Any

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Makes the routes of a view set; an object's key is any text without a slash.

    Prefixes and extra paths are written as in `django.urls.path`. `cdp.api.paths` lets
    every route be called without its last slash, too.
    """

    def __init__(self) -> None:
        super().__init__(use_regex_path=False)

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        """Return the part of a path that names an object."""
        return f"<str:{lookup_prefix}{viewset.lookup_url_kwarg or viewset.lookup_field}>"
