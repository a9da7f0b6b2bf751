"""The settings of every server that calls actions for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.callers.problems import ProblemError
from connector.catalog.action import Action
from connector.common.json_text import Json
from connector.errors import RunError
from connector.library.checks import check_delays
from connector.runs.job import DelayMs

_NO_ROW: Mapping[str, Json] = {}


@dataclass(frozen=True)
class CallSettings:
    """The connections of a server, and how it calls actions.

    `connections` are names of saved connections or files; the first one of a service is its default. If it is
    empty, the default connection of each service is used, and a key can name others. `delay_ms` is that of a
    job, and `audit` is an audit log in addition to those of the connections. `uploads` and `files` are the
    folders of files that actions send and save: without them, these actions are refused. With `requires_key`,
    every request needs a key; without it, requests without one are accepted until the first key is added, if
    they come from this machine.
    """

    connections: tuple[str, ...] = ()
    delay_ms: DelayMs | None = None
    audit: Path | None = None
    uploads: Path | None = None
    files: Path | None = None
    requires_key: bool = True

    def __post_init__(self) -> None:
        """Raise RunError for a delay that is not valid, and for a folder that does not exist."""
        check_delays(self.delay_ms, None)
        for folder in (self.uploads, self.files):
            if folder is not None and not folder.is_dir():
                raise RunError(f"{folder}: no such folder")

    def missing_folder(self, action: Action, row: Mapping[str, Json] = _NO_ROW) -> str:
        """Return the option with the folder that a row needs and the server lacks, or an empty text.

        Without a row, it is what every row of the action needs.
        """
        if self.uploads is None and any(n in action.required or row.get(n) for n in _file_inputs(action)):
            return "--uploads"
        return "--files" if self.files is None and action.returns_file else ""

    def require_folder(self, action: Action, row: Mapping[str, Json] = _NO_ROW) -> None:
        """Raise ProblemError (403) for an action that sends or saves files, without a folder for them."""
        if option := self.missing_folder(action, row):
            raise ProblemError(403, f"{action.name} needs a folder for files: start the server with {option}")


def _file_inputs(action: Action) -> Iterator[str]:
    """Yield the names of the inputs that are names of files to send."""
    for given in action.inputs.values():
        if given.place == "part" and action.parts[given.target[0]].file:
            yield given.name
