"""The session of NinjaOne. Its types, by action, are generated: `ninjaone.pyi`."""

from __future__ import annotations

from connector.library.session import Session


class NinjaOne(Session):
    """A session of NinjaOne: see `Session`."""

    service_name = "ninjaone"
