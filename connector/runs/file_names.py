"""Templates in names of files, such as `output: "patches-{{ now | format_datetime('%Y-%m-%d') }}.csv"`.

They use `now`, the start time of the run, and the variables of the job (`vars`, `--var NAME=VALUE`), and no
rows. Times are in the job's time zone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.catalog.declaration import Section
from connector.common import strict_yaml
from connector.common.json_text import Json
from connector.common.zones import in_zone, read_zone
from connector.errors import RowError, RunError
from connector.templating.scope import Scope, is_template

NAMES = ("input", "output", "errors", "summary", "uploads", "files", "audit")
"""The settings that are names of files or folders."""
_RESERVED = ("now", "row")


class FileNames:
    """Renders names of files. `is_used` is true after a name was a template."""

    def __init__(self, variables: Mapping[str, Json], now: float, timezone: str = "") -> None:
        self.variables, self.now, self._timezone = variables, now, timezone
        self.is_used = False

    def render(self, key: str, name: str) -> str:
        """Return the name that a template means; other names unchanged. Raises RunError with the `key`."""
        try:
            return self._rendered(name)
        except RunError as error:
            raise RunError(f"{key}: {error}") from error

    def _rendered(self, name: str) -> str:
        if not is_template(name):
            return name
        from connector.templating.templates import compile_template  # imported only for a template

        self.is_used = True
        scope = Scope({}, {**self.variables, "now": self.now})
        scope.fields = {"now": self.now, **self.variables}  # which an error message lists
        try:
            with in_zone(read_zone(self._timezone)):
                rendered = compile_template(name, {"type": "string"})(scope)
        except (RunError, RowError, ValueError) as error:
            reason = str(error).replace("the row has no field", "there is no variable")
            reason = reason.replace("the row's fields", "the variables of file names")
            raise RunError(reason) from error
        text = rendered if isinstance(rendered, str) else str(rendered)
        if not text or not text.isprintable():
            raise RunError(f'the template gives "{text}", which is not the name of a file: {name}')
        return text

    def render_all(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings of the command line with their names of files rendered. Raises RunError."""
        rendered = dict(given)
        for name in given.keys() & set(NAMES):
            rendered[name] = type(given[name])(self.render(f"--{name}", str(given[name])))
        return rendered

    def path(self, part: Section, key: str, folder: Path) -> str | None:
        """Return the path of an entry of a job file, relative to the current folder, or None without it.

        Raises DeclarationError.
        """
        name = part.text(key, None)
        if name is None:
            return None
        try:
            rendered = self._rendered(name)
        except RunError as error:
            raise part.fault(str(error), key) from error
        if not rendered:
            raise part.fault("the name of the file is empty", key)
        is_folder = rendered.endswith(("/", os.sep))
        return rendered if rendered == "-" else str(folder / rendered) + ("/" if is_folder else "")


def read_variables(top: Section) -> dict[str, Json]:
    """Return the `vars` of a job file: text, numbers or booleans by name. Raises DeclarationError."""
    found = strict_yaml.load_data(top.path, ("vars",)) if top.mapping("vars") else {}
    for name, value in found.items():
        if not isinstance(value, (str, int, float, bool)):
            raise top.fault("a variable must be text, a number or a boolean", "vars", name)
        try:
            check_variable(name)
        except RunError as error:
            raise top.fault(str(error), "vars", name) from error
    return found


def check_variable(name: Any) -> None:
    """Raise RunError if templates cannot use the name of a variable."""
    if not isinstance(name, str) or not name.isidentifier() or name in _RESERVED:
        raise RunError(
            f'"{name}" is not a valid name of a variable: use letters, digits and _, and not '
            f"{' or '.join(_RESERVED)}"
        )
