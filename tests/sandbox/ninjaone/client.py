"""A client for tests: signed in, and strict about every successful response."""

from __future__ import annotations

from typing import Any

import requests

from connector.sandbox.ninjaone.areas import router
from connector.sandbox.ninjaone.server import Sandbox

from .results import check_result

TIMEOUT_S = 10


class Api:
    """Sends requests with a token and validates each 2xx JSON response under its schema."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.base_url = sandbox.base_url
        self.session = requests.Session()
        self.sign_in()

    def sign_in(self, **more: str) -> None:
        """Sign in for a new token."""
        answer = self.token(**more)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

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
        answer = self.session.request(method, self.base_url + path, **options)
        if answer.ok and answer.content and answer.headers["Content-Type"] == "application/json":
            found, _ = router().find(method, path.partition("?")[0])
            check_result(found.operation, answer.json())
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET that succeeds."""
        answer = self.send("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of a request that succeeds, None for an empty response."""
        answer = self.send(method, path, json=body)
        assert answer.status_code in (200, 202, 204), answer.text
        return answer.json() if answer.content else None

    def fails(self, method: str, path: str, status: int, **options: Any) -> Any:
        """Return the JSON of a request that is refused with that status."""
        answer = self.send(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def activities(self, device: int) -> list[dict[str, Any]]:
        """Return the device's activities, newest first."""
        return list(self.get(f"/v2/device/{device}/activities")["activities"])

    def control(self, method: str, name: str, **options: Any) -> Any:
        """Send a request to one of the sandbox's own endpoints."""
        answer = requests.request(method, f"{self.base_url}/_sandbox/{name}", timeout=TIMEOUT_S, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log, over HTTP."""
        return list(self.control("GET", "requests"))

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
