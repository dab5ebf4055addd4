"""Routes of the API."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Makes the routes of a view set; an object's key is anything without a slash.

    `cdp.api.paths` lets every route be called without its last slash, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._default_value_pattern = "[^/]+"  # the framework's own stops at a dot
