"""The sessions of the two services. Their types, by action, are generated: see `stubs.py`."""

from __future__ import annotations

from connector.library.session import Session


class NinjaOne(Session):
    """A session of NinjaOne: see `Session`."""

    service_name = "ninjaone"


class HaloPSA(Session):
    """A session of HaloPSA: see `Session`. Names of actions have no prefix here."""

    service_name = "halopsa"
