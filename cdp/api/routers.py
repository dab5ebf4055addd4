"""Routes of the API."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Makes the routes of a view set; an object's key has no slash.

    `cdp.api.paths` lets every route be called without its last slash, too.
    """

    def __init__(self) -> None:
        super().__init__(trailing_slash=True, use_regex_path=False)
