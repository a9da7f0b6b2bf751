"""LogicHub (now Devo SOAR): run the connector's actions inside its integration SDK, `lhub_integ` 1.0.

The SDK runs an action as `python -m lhub_integ.shim_exec -e main.reboot_device` in the integration's folder,
with all settings in environment variables. It imports the folder's modules and finds the action's function.
Usually it renders the templates for each row and calls the function with the results. For an action declared
as PROCESS_ONCE, it calls the function once, which then reads rows and writes results itself. This module uses
PROCESS_ONCE, and writes results with the SDK's functions. The SDK's other commands, `generate_metadata` and
`shim_validate`, see ordinary functions with arguments.

The folder written by `lhub_build` imports this module, which imports the SDK only when it is used, because
importing the SDK can replace stdout and stderr.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from keyword import iskeyword
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, NoReturn

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.errors import RunError, RunStoppedError
from connector.hosts.host import prepare_form, run_rows
from connector.hosts.lhub_connection import ConnectionForm
from connector.hosts.lhub_io import PlatformIO
from connector.hosts.lhub_sdk import KNOWN, load_sdk, runs_actions
from connector.runs.job import Job
from connector.runs.job_checks import read_delay
from connector.runs.prepared import Prepared
from connector.templating.templates import compile_template

Function = Callable[..., None]

DELAY, LIST_ROWS = "time_between_consecutive_requests_milliseconds", "list_rows"
FILES, UPLOADS = "files_folder", "uploads_folder"
"""The environment variables with the settings of an action that are not inputs."""

BATCH_END = {"schedule_maintenance": "end"}
"""The input of each action whose default value is the end time of the platform's batch."""

_NOTHING_RUN, _STOPPED, _OUR_FAULT, _INTERRUPTED = 2, 3, 4, 130


class Integration:
    """A service's actions as a LogicHub integration; `action` decorates the functions of its module."""

    def __init__(self, service: str) -> None:
        self._sdk = load_sdk()
        self._catalog = Catalog()
        self._service = self._catalog.service(service)
        self._form = ConnectionForm(self._service)

    def action(self, title: str) -> Callable[[Function], Function]:
        """Return a decorator that registers a function with the SDK, as the action of the same name."""

        def register(function: Function) -> Function:
            registered = self._sdk.action(title, validator=partial(self._check, function))
            registered(function)
            if runs_actions():
                registered.function = partial(self._run, function)
                registered.execution_type = self._sdk.once
            return function

        return register

    def never_by_row(self) -> NoReturn:
        """End the process with an error. It is the body of each function: actions do not run per row."""
        self._fail(
            _NOTHING_RUN,
            "nothing was sent: the connector runs an action once for all rows, as lhub_integ "
            f"{KNOWN} supports, and it was called for a single row",
        )

    def _prepare(self, function: Function) -> Prepared:
        """Return a function's action, prepared with the run's templates and settings. Raises RunError."""
        action = self._action(function)
        name = action.name
        given = self._templates(function)
        files = _setting(FILES)
        job = Job(
            action=name,
            delay_ms=read_delay(_setting(DELAY)),
            rows="each" if action.returns_list and _setting(LIST_ROWS) != "one" else "one",
            uploads=Path(_setting(UPLOADS)),
            files=Path(files) if files else None,
        )
        end = _setting(self._sdk.EXECUTION_END_TIME)
        fallbacks = {BATCH_END[name]: end} if end and name in BATCH_END else {}
        return prepare_form(self._catalog, job, given, fallbacks)

    def _action(self, function: Function) -> Action:
        """Return the service's action with the name of a function."""
        return self._catalog.action(self._service.prefix + function.__name__)

    def _templates(self, function: Function) -> dict[str, str]:
        """Return the templates of a function's arguments, keyed by input name."""
        arguments = inspect.signature(function).parameters
        variables = {name: self._sdk.MappedColumnEnvVar(name, optional=True) for name in arguments}
        return {input_name(name): variable.read() or "" for name, variable in variables.items()}

    def _check(self, function: Function) -> list[Any]:
        """Return the SDK's errors for inputs with invalid templates. Raises RunError for other errors."""
        inputs = self._action(function).inputs
        templates = {name: text for name, text in self._templates(function).items() if name in inputs}
        found = []
        for name, template in templates.items():
            try:
                compile_template(template, inputs[name].schema)
            except RunError as error:
                field = self._sdk.MappedColumnEnvVar(argument_name(name))
                found.append(self._sdk.ValidationError(str(error), field))
        if not found:
            try:
                self._prepare(function)
            except RunError as error:
                if not str(error).startswith("delay_ms"):
                    raise
                found.append(self._sdk.ValidationError(str(error), SimpleNamespace(id=DELAY)))
        return found

    def _run(self, function: Function) -> None:
        """Run the action for all rows of this process; report errors through the SDK."""
        # In file mode, the SDK adds printed text, such as warnings, to the next result.
        warnings.simplefilter("ignore")
        stop = Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        try:
            prepared, exchange = self._prepare(function), PlatformIO()
            connection, rows = self._form.connection(), exchange.rows()
            summary = run_rows(
                prepared,
                connection,
                rows,
                exchange.answer,
                stop,
                exchange.columns,
                _batch_notes(prepared),
            )
        except RunError as error:
            self._fail(_NOTHING_RUN, str(error))
        except RunStoppedError as error:
            self._fail(_STOPPED, str(error))
        except Exception as error:
            self._fail(_OUR_FAULT, f"a bug in the connector: {type(error).__name__}: {error}")
        if summary.stopped:
            self._fail(_INTERRUPTED, f"stopped by the platform after {summary.rows} rows")

    def _fail(self, code: int, message: str) -> NoReturn:
        """End the process with the SDK's error output; if it cannot be written, print to standard error."""
        with suppress(OSError):
            self._sdk.exit_with_instantiation_errors(code, [], message)
        print(message, file=sys.__stderr__)
        raise SystemExit(code)


def _batch_notes(prepared: Prepared) -> dict[str, str]:
    """Return the note that is added to errors about the batch's end time, keyed by input name."""
    name = BATCH_END.get(prepared.action.name)
    if name is None or name not in prepared.bindings.fallbacks:
        return {}
    title, end = prepared.action.inputs[name].title, prepared.bindings.fallbacks[name]
    return {
        name: f'"{title}" is empty, so the end time of the platform\'s batch, {end}, is used: enter a time, '
        "such as {{ (now + 7200) | iso }} for two hours from now"
    }


def _setting(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def argument_name(name: str) -> str:
    """Return the Python argument name of an input; an underscore is added to Python keywords."""
    return f"{name}_" if iskeyword(name) else name


def input_name(argument: str) -> str:
    """Return the name of the input of a Python argument."""
    return argument.removesuffix("_")
