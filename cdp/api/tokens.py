"""`/oauth/token/`: access tokens for OAuth2 clients (RFC 6749, client credentials)."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import get_access_token_model
from oauth2_provider.views import TokenView as ToolkitTokenView

SWEPT: Final = 100  # expired tokens that each new one takes along


@method_decorator(csrf_exempt, name="dispatch")
class TokenView(ToolkitTokenView):  # type: ignore[misc]  # untyped package
    """Gives tokens, and errors in the form that OAuth2 clients understand."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Give a token to a client that proves its secret."""
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if answer.status_code == 200:
            forget_expired_tokens()
        return answer


def forget_expired_tokens() -> None:
    """Delete some tokens that have expired, so that they never pile up."""
    tokens = get_access_token_model().objects
    expired = tokens.filter(expires__lt=timezone.now()).order_by("expires").values("pk")[:SWEPT]
    tokens.filter(pk__in=list(expired.values_list("pk", flat=True))).delete()
