"""LogicHub, now Devo SOAR: our actions inside its integration SDK, `lhub_integ` 1.0.

The SDK runs an action as `python -m lhub_integ.shim_exec -e main.reboot_device` in the integration's folder,
with everything in environment variables. It imports the folder's modules, looks the action up, and does one
of two things: for each row it renders the templates and calls the function with them, or, for an action that
is declared PROCESS_ONCE, it calls the function once and leaves rows and results to it. The second is where we
take over: it is the SDK's own way to do so, and it comes before a row is read or a template rendered. Answers
go out through the SDK's own functions, so the platform sees its own protocol. The SDK's other commands,
`generate_metadata` and `shim_validate`, want to see the function with its arguments, so they do.

The folder that `lhub_build` writes imports this module, and this module imports the SDK when it is used:
merely to import the SDK can replace stdout and stderr.
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
from connector.runs.run import Prepared
from connector.templating.templates import compile_template

Function = Callable[..., None]

DELAY, LIST_ROWS = "time_between_consecutive_requests_milliseconds", "list_rows"
FILES, UPLOADS = "files_folder", "uploads_folder"
"""The parameters of an action beside its inputs, by the environment variables in which they come."""

BATCH_END = {"schedule_maintenance": "end"}
"""The inputs, by action, that are the end of the platform's batch when they are left empty."""

_NOTHING_RUN, _STOPPED, _OUR_FAULT, _INTERRUPTED = 2, 3, 4, 130


class Integration:
    """A service's actions as an integration: what its module's functions are decorated with."""

    def __init__(self, service: str) -> None:
        self._sdk = load_sdk()
        self._catalog = Catalog()
        self._service = self._catalog.service(service)
        self._form = ConnectionForm(self._service)

    def action(self, title: str) -> Callable[[Function], Function]:
        """Make a function known to the SDK as the action of the catalog that has its name."""

        def register(function: Function) -> Function:
            registered = self._sdk.action(title, validator=partial(self._check, function))
            registered(function)
            if runs_actions():
                registered.function = partial(self._run, function)
                registered.execution_type = self._sdk.once
            return function

        return register

    def never_by_row(self) -> NoReturn:
        """Refuse to run for a single row, and end the process: the body of every function."""
        self._fail(
            _NOTHING_RUN,
            "nothing was sent: the connector runs an action once for all rows, as lhub_integ "
            f"{KNOWN} supports, and it was called for a single row",
        )

    def _prepare(self, function: Function) -> Prepared:
        """Bind the action to the templates and settings of this run. Raises RunError."""
        action = self._action(function)
        name = action.name
        given = self._templates(function)
        given["delay_ms"] = _setting(DELAY)
        files = _setting(FILES)
        job = Job(
            action=name,
            rows="each" if has_list_result(action) and _setting(LIST_ROWS) != "one" else "one",
            uploads=Path(_setting(UPLOADS)),
            files=Path(files) if files else None,
        )
        end = _setting(self._sdk.EXECUTION_END_TIME)
        fallbacks = {BATCH_END[name]: end} if end and name in BATCH_END else {}
        return prepare_form(self._catalog, job, given, fallbacks)

    def _action(self, function: Function) -> Action:
        """Return the service's action that has the function's name."""
        return self._catalog.action(self._service.prefix + function.__name__)

    def _templates(self, function: Function) -> dict[str, str]:
        """Read the template of each argument, by the name of its input."""
        arguments = inspect.signature(function).parameters
        variables = {name: self._sdk.MappedColumnEnvVar(name, optional=True) for name in arguments}
        return {input_name(name): variable.read() or "" for name, variable in variables.items()}

    def _check(self, function: Function) -> list[Any]:
        """Return the SDK's errors at the inputs whose templates are wrong. Raises RunError for the rest."""
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
        """Run the action over all rows of this process, and say through the SDK why it could not."""
        # Through files, all that is printed becomes a part of the row that is answered next.
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
            self._fail(_OUR_FAULT, f"an error in the connector itself: {type(error).__name__}: {error}")
        if summary.stopped:
            self._fail(_INTERRUPTED, f"stopped by the platform after {summary.rows} rows")

    def _fail(self, code: int, message: str) -> NoReturn:
        """End the process as the SDK does when it cannot go on, or without it where it cannot write."""
        with suppress(OSError):
            self._sdk.exit_with_instantiation_errors(code, [], message)
        print(message, file=sys.__stderr__)
        raise SystemExit(code)


def _batch_notes(prepared: Prepared) -> dict[str, str]:
    """Return what to say, by input, of an error about the end of the batch."""
    name = BATCH_END.get(prepared.action.name)
    if name is None or name not in prepared.bindings.fallbacks:
        return {}
    title, end = prepared.action.inputs[name].title, prepared.bindings.fallbacks[name]
    return {
        name: f'"{title}" is empty here, so it is the end of the platform\'s batch, {end}: give another end, '
        "such as {{ (now + 7200) | iso }} for two hours from now"
    }


def _setting(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def has_list_result(action: Action) -> bool:
    """Return whether an action's result is a list, of which each item can be a row."""
    schema = action.result
    return bool(action.paging) or (isinstance(schema, dict) and "array" in schema.get("type", ()))


def argument_name(name: str) -> str:
    """Return the argument that stands for an input; Python's own words get an underscore."""
    return f"{name}_" if iskeyword(name) else name


def input_name(argument: str) -> str:
    """Return the input for which an argument stands."""
    return argument.removesuffix("_")
