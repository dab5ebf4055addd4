"""Letting pages of any site call a door.

A door takes no cookie of the console and tells nothing of anybody else, so every
origin may call it; with cookies of its own the origin must be echoed, not `*`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

_KEPT_SECONDS: Final = 86_400
View = Callable[..., HttpResponse]


def open_to_browsers(view: View) -> View:
    """Answer the browser's question beforehand, and allow the answer to be read."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = request.META.get("HTTP_ORIGIN")
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = request.META.get(
                "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "Authorization, Content-Type"
            )
            response.headers["Access-Control-Max-Age"] = str(_KEPT_SECONDS)
            # A page in the internet that calls a server in a private network asks this as well.
            response.headers["Access-Control-Allow-Private-Network"] = "true"
        else:
            response = view(request, *args, **kwargs)
        if origin:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Adobe-Edge"
            response.headers["Vary"] = "Origin"
        return response

    return csrf_exempt(answer)
