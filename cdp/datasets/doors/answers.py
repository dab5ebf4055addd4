"""What every door does around its own work: method, refusals, JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cdp.api.errors import MethodUnknown, as_refusal, problem_page
from cdp.errors import DomainError

View = Callable[..., HttpResponse]


def door(view: View) -> View:
    """Make a view a door: POST only, no CSRF token, refusals as problem documents."""
    return door_with(problem_page)(view)


def door_with(refuse: Callable[[DomainError], HttpResponse]) -> Callable[[View], View]:
    """Make a view a door whose clients want refusals in a form of their own."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != "POST":
                return refuse(MethodUnknown("This door takes POST."))
            try:
                return view(request, *args, **kwargs)
            except Exception as error:
                refusal = as_refusal(error)
                if refusal is None:
                    raise
                return refuse(refusal)

        return csrf_exempt(answer)

    return decorate


def json_answer(value: Any, status: int = 200) -> HttpResponse:
    """Return a value as JSON."""
    return HttpResponse(orjson.dumps(value), status=status, content_type="application/json")
