"""The names of the records that the rows of a step change, read from the service for a plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property

from connector.client.factory import open_client, sign_in
from connector.common.json_text import Json
from connector.connections.connection import load_connection
from connector.errors import ConnectionSetupError, RowError
from connector.invocation.exchange import Exchange, NoRecorder
from connector.invocation.lookups import Lookups
from connector.invocation.names import Index, read_index
from connector.invocation.notes import Note
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared

logger = logging.getLogger(__name__)


class TargetNames:
    """Returns the name of a record by its id. The names are requested once, for the first record."""

    def __init__(self, prepared: Prepared, target: str) -> None:
        """`target` is the name of the input that is the id of what the action changes."""
        self._prepared, self._target = prepared, target

    def __call__(self, id: Json) -> str:
        """Return the name of a record; empty if it is not known, as for ids of several accounts."""
        return self._names.get(id, "") if isinstance(id, (int, str)) else ""

    @cached_property
    def _names(self) -> Mapping[Json, str]:
        prepared, given = self._prepared, self._prepared.action.inputs.get(self._target)
        slot = next((slot for slot in given.slots if not slot.path), None) if given else None
        if slot is None or prepared.choose:
            return {}
        try:
            index = self._read(slot.kind)
        except (RowError, ConnectionSetupError) as error:
            logger.warning("the names of the records cannot be read: %s", error, extra={"notice": True})
            return {}
        return index.displayed

    def _read(self, kind: str) -> Index:
        """Return the records of a kind. Raises RowError and ConnectionSetupError."""
        job, service = self._prepared.job, self._prepared.service
        connection = apply_policy(self._prepared.action, job, load_connection(service, job.connection))
        client = open_client(
            *(service, connection, self._prepared.delay_ms),
            min_delay_ms=self._prepared.min_delay_ms,
            state=self._prepared.job.state,
        )
        sign_in(client)
        lookups = Lookups()
        exchange = Exchange(self._prepared.action.name, 0, client, NoRecorder(), lookups)
        steps = read_index(service, service.named[kind], lookups)
        try:
            step = next(steps)
            while True:
                step = next(steps) if isinstance(step, Note) else steps.send(exchange.send(step))
        except StopIteration as end:
            index: Index = end.value
            return index
        finally:
            steps.close()
