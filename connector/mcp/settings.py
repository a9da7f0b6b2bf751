"""The settings of an MCP server, which the person sets who starts it. No argument of a tool changes them."""

from __future__ import annotations

from dataclasses import dataclass

from connector.callers.settings import CallSettings


@dataclass(frozen=True)
class Settings(CallSettings):
    """What a server offers, and how it calls actions.

    `service` limits the server to one service. `tools` (patterns of action names) and `areas` select actions
    that are offered as one tool each, instead of the general tools. With `allow_destructive`, nobody is asked
    to confirm. With `http`, the caller of each request has the permissions of its key.
    """

    service: str = ""
    tools: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    read_only: bool = False
    allow_destructive: bool = False
    http: bool = False
    requires_key: bool = False
