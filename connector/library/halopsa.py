"""The session of HaloPSA. Its types, by action, are generated: `halopsa.pyi`."""

from __future__ import annotations

from connector.library.session import Session


class HaloPSA(Session):
    """A session of HaloPSA: see `Session`. Names of actions have no prefix."""

    service_name = "halopsa"
