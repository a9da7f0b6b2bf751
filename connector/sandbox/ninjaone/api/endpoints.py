"""The declared endpoints of NinjaOne, and the validated request that each of them receives."""

from __future__ import annotations

from connector.sandbox.endpoints import Endpoints, OperationCall
from connector.sandbox.ninjaone.data.state import State

ApiCall = OperationCall[State]
ENDPOINTS = Endpoints()
"""Endpoints are added when the area modules (`organizations`, `devices`, ...) are imported."""
endpoint = ENDPOINTS.declare
