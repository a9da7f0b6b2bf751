"""A NinjaOne that runs on this machine: stateful, seeded, and misbehaving on demand.

`Sandbox` serves the documented API over real HTTP on the loopback interface, so that the connector can be
tried, shown and tested without an account. Nothing outside this package knows of it, and it knows nothing of
the rest.
"""

from connector.sandbox.faults import parse_faults
from connector.sandbox.server import Sandbox

__all__ = ["Sandbox", "parse_faults"]
