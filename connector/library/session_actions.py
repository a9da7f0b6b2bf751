"""The actions of a session, as a program names them and with values of Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.common.json_text import Json
from connector.errors import InputError, RunError
from connector.library.values import json_value
from connector.runs.job import Job
from connector.runs.prepared import Prepared, prepare

_CLASSES = {"ninjaone": "NinjaOne(...)", "halopsa": "HaloPSA(...)"}
"""The sessions of services that have a class."""


class SessionActions:
    """The actions of one service, each prepared once. `job` has the settings of the session."""

    def __init__(self, catalog: Catalog, service: Service, job: Job) -> None:
        self._catalog, self._service, self._job = catalog, service, job
        self._prepared: dict[str, Prepared] = {}

    def full_name(self, action: str) -> str:
        """Return the name of an action in the catalog; the prefix of the service can be omitted.

        Raises RunError for an action of another service.
        """
        own = self._service.prefix
        if "." in action and not (own and action.startswith(own)):
            for other in map(self._catalog.service, self._catalog.services):
                if other is not self._service and other.prefix and action.startswith(other.prefix):
                    session = _CLASSES.get(other.name, f'Session(..., service="{other.name}")')
                    raise RunError(
                        f"{action} is an action of {other.title}, and this is a session of "
                        f"{self._service.title}; use {session}"
                    )
        return own + action.removeprefix(own)

    def prepared(self, action: str) -> Prepared:
        """Return an action prepared for native values, each in the field of the input's name."""
        name = self.full_name(action)
        if name not in self._prepared:
            job = replace(self._job, action=name, match_fields=True, empty="send")
            self._prepared[name] = prepare(job, self._catalog)
        return self._prepared[name]

    def values(self, action: str, inputs: Mapping[str, Any]) -> dict[str, Json]:
        """Return the values of a call by the names of inputs, as JSON. Raises InputError."""
        declared = self.prepared(action).action
        values: dict[str, Json] = {}
        for given, value in inputs.items():
            name = given if given in declared.inputs else given.removesuffix("_")
            if name not in declared.inputs:
                raise InputError("input_invalid", declared.no_input(given))
            if name in values:
                raise InputError("input_invalid", f"{name} appears twice, also as {name}_")
            values[name] = json_value(value, name)
        return values
