"""A NinjaOne that runs on this machine: stateful, seeded, and misbehaving on demand.

`Sandbox` serves the documented API over real HTTP on the loopback interface, so that the connector can be
tried, shown and tested without an account. It serves every published operation (see `areas`). Nothing outside
this package knows of it, and of the rest it needs the published facts and schemas alone (`schemas/ninjaone`).
"""

from connector.sandbox.faults import parse_faults
from connector.sandbox.server import Sandbox

__all__ = ["Sandbox", "parse_faults"]
