"""The status of a response that mirrors its envelope, for callers that look at statuses only.

Many of them repeat a request by themselves after 429 and 5xx. So only a failure that is worth a retry as it
is has such a status: never an unknown outcome.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.errors import Code, kind_of
from connector.files.envelope import Envelope

_TRANSIENT: Mapping[Code, int] = {"rate_limited": 429, "cancelled": 503}
_OTHERS: Mapping[Code, int] = {
    "template_error": 422,
    "input_invalid": 422,
    "auth_failed": 403,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
}
MIRRORED = (403, 404, 409, 422, 429, 502, 503)
"""The statuses of failed envelopes."""


def status_of(envelope: Envelope) -> int:
    """Return the status that an envelope means; 409 for a failure that must be checked first."""
    if envelope.error is None:
        return 200
    code, kind = envelope.meta["code"], kind_of(envelope.meta)
    if kind == "retry":
        return _TRANSIENT.get(code, 502)
    return _OTHERS.get(code, 422) if kind == "fix" else 409
