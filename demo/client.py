"""A small client of the REST API, as a partner would write it."""

from collections.abc import Sequence
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

    def collect(self, inlet: str, records: Sequence[dict[str, Any]]) -> Any:
        """Send records through the streaming door; the answer is a receipt."""
        content = dumps(list(records))
        headers = {"Content-Type": "application/json"}
        return self._read(self.http.post(f"/collection/{inlet}", content=content, headers=headers))

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        if response.is_error:
            raise Refused(response)
        return response.json() if response.content else None
