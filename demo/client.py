"""A small client of the REST API, as a partner would write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx
from orjson import dumps


class Refused(Exception):
    """The API answered with a problem document."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(
            f"{response.request.method} {response.url.path}: {response.status_code} {response.text}"
        )
        self.status = response.status_code
        self.problem: dict[str, Any] = (
            response.json() if "json" in response.headers.get("content-type", "") else {}
        )


@dataclass(frozen=True, slots=True)
class Inlet:
    """Where data goes in, and the key for it."""

    id: str
    write_key: str


class Client:
    """One credential's view of the API."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60)
        answer = self._read(
            self.http.post(
                "/oauth/token/",
                data={"grant_type": "client_credentials"},
                auth=(client_id, client_secret),
            )
        )
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read a resource under /api/v1/."""
        return self._read(self.http.get(f"/api/v1/{path}", params=query))

    def post(self, path: str, body: Any) -> Any:
        """Create something, or start work, under /api/v1/."""
        return self._read(self.http.post(f"/api/v1/{path}", json=body))

    def patch(self, path: str, body: Any) -> Any:
        """Change a resource under /api/v1/."""
        return self._read(self.http.patch(f"/api/v1/{path}", json=body))

    def collect(self, inlet: Inlet, records: Sequence[dict[str, Any]]) -> str:
        """Send records through the streaming door; return the receipt's id.

        With the inlet's write key, as a page or a shop system does, which know no other.
        """
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {inlet.write_key}"}
        address, content = f"/collection/{inlet.id}", dumps(list(records))
        answer = self._read(self.http.post(address, content=content, headers=headers))
        return str(answer["xactionId"])

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        if response.is_error:
            raise Refused(response)
        return response.json() if response.content else None
