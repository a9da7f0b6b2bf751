"""A client for tests: signed in, and strict about every successful response."""

from __future__ import annotations

from typing import Any

import requests

from connector.sandbox.ninjaone.areas import router
from connector.sandbox.ninjaone.server import Sandbox

from .results import check_result

TIMEOUT_S = 60


class Api:
    """Sends requests with a token and validates each 2xx JSON response under its schema."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.base_url = sandbox.base_url
        self.session = requests.Session()
        self.sign_in()

    def sign_in(self, **more: str) -> None:
        """Sign in for a new token."""
        response = self.token(**more)
        self.session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def token(self, **changes: str) -> requests.Response:
        """Return the token endpoint's response to client credentials with these changes."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
        } | changes
        return requests.post(f"{self.base_url}/ws/oauth/token", data=form, timeout=TIMEOUT_S)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request and return any response."""
        options.setdefault("timeout", TIMEOUT_S)
        options.setdefault("allow_redirects", False)
        response = self.session.request(method, self.base_url + path, **options)
        if response.ok and response.content and response.headers["Content-Type"] == "application/json":
            found, _ = router().find(method, path.partition("?")[0])
            check_result(found.operation, response.json())
        return response

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET that succeeds."""
        response = self.send("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of a request that succeeds, None for an empty response."""
        response = self.send(method, path, json=body)
        assert response.status_code in (200, 202, 204), response.text
        return response.json() if response.content else None

    def fails(self, method: str, path: str, status: int, **options: Any) -> Any:
        """Return the JSON of a request that is refused with that status."""
        response = self.send(method, path, **options)
        assert response.status_code == status, response.text
        return response.json()

    def activities(self, device: int) -> list[dict[str, Any]]:
        """Return the device's activities, newest first."""
        return list(self.get(f"/v2/device/{device}/activities")["activities"])

    def control(self, method: str, name: str, **options: Any) -> Any:
        """Send a request to one of the sandbox's own endpoints."""
        response = requests.request(method, f"{self.base_url}/_sandbox/{name}", timeout=TIMEOUT_S, **options)
        assert response.ok, response.text
        return response.json() if response.content else None

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log, over HTTP."""
        return list(self.control("GET", "requests"))

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
