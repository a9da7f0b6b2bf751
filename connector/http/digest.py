"""The digest by which a request is recognized."""

from __future__ import annotations

import hashlib

from connector.http.messages import Request


def request_digest(request: Request) -> str:
    """Return the SHA-256 of a request's method, target and body."""
    body = str(request.parts).encode() if request.parts else request.encoded[1]
    return hashlib.sha256(f"{request.method} {request.target}\n".encode() + (body or b"")).hexdigest()
