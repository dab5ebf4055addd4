"""Tolerance for how clients write a path."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_PREFIXES = ("/api/", "/oauth/")
_SLASHES = re.compile(r"(?<!:)/{2,}")  # not the `//` of an address inside a path


class TolerantPaths:
    """Middleware: `/api/v1//segments` is `/api/v1/segments/`, without a redirect.

    A redirect would lose the body of a POST, and joining `base + "/" + path` is how
    most clients come to two slashes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = _SLASHES.sub("/", request.path_info)
        if path.startswith(_PREFIXES):
            request.path_info = path if path.endswith("/") else f"{path}/"
            request.path = request.path_info
        return self._get_response(request)
