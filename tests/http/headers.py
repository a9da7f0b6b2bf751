"""Headers that a request carries."""

from __future__ import annotations

TEXT = {"authorization": "Bearer a-token", "accept": "application/json"}
