"""The endpoints of the mock NinjaOne server, and the validated request that a handler receives."""

from __future__ import annotations

from connector.sandbox.endpoints import Endpoints, OperationCall
from connector.sandbox.ninjaone.data.state import State

ApiCall = OperationCall[State]
ENDPOINTS = Endpoints()
"""The endpoints; modules in `areas` add theirs when they are imported."""
endpoint = ENDPOINTS.declare
