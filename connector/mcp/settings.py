"""The settings of an MCP server, which the person sets who starts it. No argument of a tool changes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connector.runs.job import DelayMs
from connector.serve.settings import Settings as ServeSettings


@dataclass(frozen=True)
class Settings:
    """What a server offers, and how it calls actions.

    `connections` are names of saved connections or files; the first one of a service is used for it, and
    without any, the default connection of each service. `service` limits the server to one service. `tools`
    (patterns of action names) and `areas` select actions that are offered as one tool each, instead of the
    general tools. With `allow_destructive`, nobody is asked to confirm. Without the folders `uploads` and
    `files`, actions that send or save files are refused. With `http`, the caller of each request has the
    rights of its key; `requires_key` is as in `ninjaone serve`.
    """

    connections: tuple[str, ...] = ()
    service: str = ""
    tools: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    read_only: bool = False
    allow_destructive: bool = False
    delay_ms: DelayMs | None = None
    uploads: Path | None = None
    files: Path | None = None
    audit: Path | None = None
    http: bool = False
    requires_key: bool = False

    @property
    def serving(self) -> ServeSettings:
        """The settings that `ninjaone serve` has, too."""
        return ServeSettings(
            connections=self.connections,
            delay_ms=self.delay_ms,
            audit=self.audit,
            uploads=self.uploads,
            files=self.files,
            requires_key=self.requires_key,
        )
