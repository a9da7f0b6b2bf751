"""The areas of the API that are served. Importing one declares its routes; a new one is added here."""

from __future__ import annotations

from connector.sandbox import (
    activities,
    devices,
    installers,
    maintenance,
    organizations,
    scripting,
    services,
    ticketing,
    users,
    vulnerabilities,
)

AREAS = (
    activities,
    devices,
    installers,
    maintenance,
    organizations,
    scripting,
    services,
    ticketing,
    users,
    vulnerabilities,
)
