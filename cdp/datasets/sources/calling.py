"""Calling a REST API as a source: credentials, pages, patience."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import orjson

from cdp.datasets.sources.base import SourceError
from cdp.outgoing.accounts import Account
from cdp.outgoing.client import Answer, NoAnswer, UrlRefused, send

_SECONDS: Final = 60
_MOST_BYTES: Final = 50_000_000
_LONGEST_URL: Final = 16_000  # the links to next pages carry all of their query
_TRIES: Final = 5
_LONGEST_PAUSE: Final = 60
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_PORTS: Final = {"https": 443, "http": 80}
# What a link may hold as it is; anything else in it is written as an escape.
_PLAIN: Final = "/?:@!$&'()*+,;=%-._~[]"


@dataclass(slots=True)
class Caller:
    """Calls one API with an account's credentials; keeps a token as long as it is good.

    An API that is busy is asked again after the pause that it wants, or one that grows;
    with `patient=False`, while a person waits, it is not.
    """

    account: Account
    accept: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    patient: bool = True
    _token: str = ""

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON at an address, relative to the base address. Raises `SourceError`."""
        base = str(self.account.get("base_url"))
        whole = quote(urljoin(base.rstrip("/") + "/", url), safe=_PLAIN)
        if _server(urlsplit(whole)) != _server(urlsplit(base)):
            # The credentials are for this server; a page's link may not carry them elsewhere.
            raise SourceError(f"The API leads to another server: {whole[:200]}", permanent=True)
        if params:
            # `$filter` and its like are written as they are; some servers read them only so.
            joined = urlencode(params, safe="$,()'", quote_via=quote)
            whole = f"{whole}{'&' if '?' in whole else '?'}{joined}"
        answer = self._authorised(whole)
        if answer.status >= 400:
            said = answer.body[:300].decode("utf-8", "replace")
            raise _refused(f"The API answered {answer.status}: {said}", answer)
        if answer.truncated:
            raise SourceError("A page of the API is larger than 50 MB.", permanent=True)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise SourceError("The answer is not JSON.", permanent=True) from error

    def _authorised(self, url: str) -> Answer:
        answer = self._patiently(lambda: self._once(url))
        if answer.status == 401 and self._token:
            self._token = ""  # it may have ended in the middle
            answer = self._patiently(lambda: self._once(url))
        return answer

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer that another try would not better."""
        tried = 0
        while True:
            tried += 1
            is_last = not self.patient or tried == _TRIES
            try:
                answer = ask()
            except NoAnswer as error:
                if is_last:
                    raise SourceError(str(error)) from error
                time.sleep(2.0**tried)
                continue
            pause = _pause(answer, tried)
            if answer.status not in _AGAIN or is_last or pause > _LONGEST_PAUSE:
                return answer
            time.sleep(pause)

    def _once(self, url: str) -> Answer:
        headers = {"Accept": self.accept, **self.headers, **self._credentials()}
        return _send("GET", url, headers=headers)

    def _credentials(self) -> dict[str, str]:
        account = self.account
        if account.get("token_url"):
            self._token = self._token or self._fetch_token()
            return {"Authorization": f"Bearer {self._token}"}
        if account.get("token"):
            return {"Authorization": f"Bearer {account.get('token')}"}
        if account.get("api_key"):
            return {str(account.get("api_key_header", "X-API-Key")): str(account.get("api_key"))}
        return {}

    def _fetch_token(self) -> str:
        """Ask for an access token with client credentials."""
        names = ("client_id", "client_secret", "scope")
        given = {name: str(self.account.get(name)) for name in names if self.account.get(name)}
        body = urlencode({"grant_type": "client_credentials", **given}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        url = str(self.account.get("token_url"))
        answer = self._patiently(lambda: _send("POST", url, headers=headers, body=body))
        if answer.status != 200:
            said = _reason(answer)
            detail = f"No access token: the token server answered {answer.status}{said}."
            raise _refused(detail, answer)
        try:
            return str(orjson.loads(answer.body)["access_token"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            detail = "The token server's answer holds no token."
            raise SourceError(detail, permanent=True) from error


def _send(method: str, url: str, *, headers: dict[str, str], body: bytes = b"") -> Answer:
    try:
        return send(
            method,
            url,
            headers=headers,
            body=body,
            seconds=_SECONDS,
            max_bytes=_MOST_BYTES,
            longest=_LONGEST_URL,
        )
    except UrlRefused as error:
        raise SourceError(str(error), permanent=True) from error


def _refused(detail: str, answer: Answer) -> SourceError:
    is_busy = answer.status in _AGAIN
    return SourceError(detail, permanent=not is_busy, wait=_wanted(answer) if is_busy else 0)


def _reason(answer: Answer) -> str:
    """Return the error code of OAuth2, if the answer holds one."""
    try:
        code = orjson.loads(answer.body)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return f" ({code[:60]})" if isinstance(code, str) else ""


def _pause(answer: Answer, tried: int) -> float:
    return _wanted(answer) or 2.0**tried


def _wanted(answer: Answer) -> float:
    """Return for how many seconds the server wants to be left alone; 0 if it does not say."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said[:9])
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0)


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
