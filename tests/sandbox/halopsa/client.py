"""A client for tests of the HaloPSA sandbox: signed in, with methods that expect success or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from connector.sandbox.halopsa.server import HaloSandbox

TIMEOUT_S = 60


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_780_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class HaloApi:
    """Sends requests with a token."""

    def __init__(self, sandbox: HaloSandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        response = self.token()
        assert response.status_code == 200, response.text
        self.session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def token(self, *, tenant: str = "sandbox", **changes: str) -> requests.Response:
        """Return the token endpoint's response to client credentials with these changes."""
        sandbox = self.sandbox
        form = {
            "grant_type": "client_credentials",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "scope": "all",
        } | changes
        query = {"tenant": tenant} if tenant else {}
        url = f"{sandbox.base_url}/auth/token"
        return requests.post(url, params=query, data=form, timeout=TIMEOUT_S)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request and return any response."""
        return self.session.request(
            method, f"{self.sandbox.base_url}/api{path}", timeout=TIMEOUT_S, **options
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET that succeeds."""
        response = self.send("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, *records: Any, **query: Any) -> Any:
        """Return the JSON of a POST of these records that succeeds."""
        response = self.send("POST", path, json=list(records), params=query)
        assert response.status_code == 201, response.text
        return response.json()

    def refused(self, status: int, method: str, path: str, **options: Any) -> requests.Response:
        """Return the response to a request that is refused with this status."""
        response = self.send(method, path, **options)
        assert response.status_code == status, response.text
        return response

    def pages(self, path: str, key: str, **query: Any) -> list[Any]:
        """Return the records of all pages, as a correct client reads them."""
        found: list[Any] = []
        number = 1
        while True:
            page = self.get(path, pageinate="true", page_no=number, **query)
            found += page[key]
            if not page[key] or len(found) >= page["record_count"]:
                return found
            number += 1

    def ticket(self, **values: Any) -> dict[str, Any]:
        """Create a ticket and return it."""
        new = {"summary": "Disk is full", "tickettype_id": 25, "client_id": 11}
        created: dict[str, Any] = self.post("/Tickets", new | values)
        return created

    def control(self, name: str, /, **body: Any) -> Any:
        """Send a request to one of the sandbox's own paths."""
        response = requests.post(f"{self.sandbox.base_url}/_sandbox/{name}", json=body, timeout=TIMEOUT_S)
        assert response.ok, response.text
        return response.json() if response.content else None

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


OpenHalo = Callable[..., HaloApi]
"""Creates a client of a new sandbox with the given settings."""
