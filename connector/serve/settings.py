"""The settings of the HTTP server."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.callers.settings import CallSettings
from connector.errors import RunError
from connector.serve.bodies import Limits


@dataclass(frozen=True)
class Settings(CallSettings):
    """What a server serves, and its limits. A request waits for its turn for at most `max_wait_s` seconds."""

    limits: Limits = field(default_factory=Limits)
    max_wait_s: float = 30.0

    def __post_init__(self) -> None:
        """Raise RunError for a setting that is not valid."""
        super().__post_init__()
        if not 0 < self.max_wait_s < float("inf"):
            raise RunError("the maximum wait must be finite and greater than 0")
