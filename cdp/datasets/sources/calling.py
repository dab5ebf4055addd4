"""Calling a REST API as a source: credentials, pages, patience."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import orjson

from cdp.datasets.sources.base import (
    SourceError,
)
from cdp.outgoing.accounts import Account
from cdp.outgoing.client import Answer, NoAnswer, UrlRefused, send

_SECONDS: Final = 60
_MOST_BYTES: Final = 50_000_000
_TRIES: Final = 4
_LONGEST_PAUSE: Final = 60
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class Caller:
    """Calls one API with an account's credentials; keeps a token as long as it is good."""

    account: Account
    accept: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    _token: str = ""

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON at an address, relative to the base address. Raises `SourceError`."""
        base = str(self.account.get("base_url"))
        whole = urljoin(base.rstrip("/") + "/", url)
        if urlsplit(whole)[:2] != urlsplit(base)[:2]:
            # The credentials are for this server; a page's link may not carry them elsewhere.
            raise SourceError(f"The API leads to another server: {whole[:200]}", permanent=True)
        if params:
            # `$filter` and its like are written as they are; some servers read them only so.
            joined = urlencode(params, safe="$,()'", quote_via=quote)
            whole = f"{whole}{'&' if '?' in whole else '?'}{joined}"
        answer = self._patiently(whole)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise SourceError("The answer is not JSON.", permanent=True) from error

    def _patiently(self, url: str) -> Answer:
        for tried in range(1, _TRIES + 1):
            answer = self._once(url)
            if answer.status == 401 and self._token and tried == 1:
                self._token = ""  # it may have ended in the middle
            elif answer.status not in _AGAIN or tried == _TRIES:
                break
            else:
                time.sleep(_pause(answer, tried))
        if answer.status >= 400:
            permanent = answer.status not in _AGAIN
            said = answer.body[:300].decode("utf-8", "replace")
            raise SourceError(f"The API answered {answer.status}: {said}", permanent=permanent)
        if answer.truncated:
            raise SourceError("A page of the API is larger than 50 MB.", permanent=True)
        return answer

    def _once(self, url: str) -> Answer:
        headers = {"Accept": self.accept, **self.headers, **self._credentials()}
        return _send("GET", url, headers=headers)

    def _credentials(self) -> dict[str, str]:
        account = self.account
        if account.get("token_url"):
            self._token = self._token or _fetch_token(account)
            return {"Authorization": f"Bearer {self._token}"}
        if account.get("token"):
            return {"Authorization": f"Bearer {account.get('token')}"}
        if account.get("api_key"):
            return {str(account.get("api_key_header", "X-API-Key")): str(account.get("api_key"))}
        return {}


def _fetch_token(account: Account) -> str:
    """Ask for an access token with client credentials."""
    form = {
        "grant_type": "client_credentials",
        "client_id": account.get("client_id"),
        "client_secret": account.get("client_secret"),
        "scope": account.get("scope"),
    }
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = _send("POST", str(account.get("token_url")), headers=headers, body=body)
    if answer.status != 200:
        permanent = answer.status not in _AGAIN
        raise SourceError(f"No access token: the server said {answer.status}.", permanent=permanent)
    try:
        return str(orjson.loads(answer.body)["access_token"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceError("The token server's answer holds no token.", permanent=True) from error


def _send(method: str, url: str, *, headers: dict[str, str], body: bytes = b"") -> Answer:
    try:
        return send(
            method, url, headers=headers, body=body, seconds=_SECONDS, max_bytes=_MOST_BYTES
        )
    except UrlRefused as error:
        raise SourceError(str(error), permanent=True) from error
    except NoAnswer as error:
        raise SourceError(str(error)) from error


def _pause(answer: Answer, tried: int) -> float:
    said = answer.headers.get("retry-after", "")
    return min(int(said) if said.isdecimal() else 2.0**tried, _LONGEST_PAUSE)
