"""The settings of an MCP server, which the person sets who starts it. No argument of a tool changes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connector.catalog.action import Action
from connector.errors import RunError


@dataclass(frozen=True)
class Settings:
    """What a server offers, and how it calls actions.

    `connections` are names of saved connections or files; the first one of a service is used for it, and
    without any, the default connection of each service. `service` limits the server to one service. `tools`
    (patterns of action names) and `areas` select actions that are offered as one tool each, instead of the
    general tools. With `allow_destructive`, nobody is asked to confirm. Without the folders `uploads` and
    `files`, actions that send or save files are refused.
    """

    connections: tuple[str, ...] = ()
    service: str = ""
    tools: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    read_only: bool = False
    allow_destructive: bool = False
    delay_ms: float | None = None
    uploads: Path | None = None
    files: Path | None = None
    audit: Path | None = None

    def require_folder(self, action: Action) -> None:
        """Raise RunError for an action that sends or saves files, without a folder for them."""
        missing = ""
        if self.uploads is None and any(part.file for part in action.parts.values()):
            missing = "--uploads"
        elif self.files is None and action.returns_file:
            missing = "--files"
        if missing:
            raise RunError(f"{action.name} needs a folder for files: start the server with {missing} DIR")
