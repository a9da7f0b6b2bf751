"""The `ninjaone` program: imports the module of the requested command and runs it.

Exit codes: 0 every row succeeded; 1 finished, some rows failed; 2 nothing was run; 3 stopped, can be resumed;
4 a bug in the connector; 130 interrupted, can be resumed.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import connector
from connector.cli.logs import add_log_options, log_output
from connector.cli.streams import usable_streams
from connector.errors import ConnectorError, RunError, RunInterruptedError, RunStoppedError, nearest
from connector.runs.exit_codes import INTERRUPTED as INTERRUPTED
from connector.runs.exit_codes import NOTHING_RUN as NOTHING_RUN
from connector.runs.exit_codes import OK as OK
from connector.runs.exit_codes import OUR_FAULT as OUR_FAULT
from connector.runs.exit_codes import ROWS_FAILED as ROWS_FAILED
from connector.runs.exit_codes import STOPPED as STOPPED

COMMANDS = {
    "actions": ("connector.cli.catalog", "list all actions, or those that contain the given words"),
    "show": ("connector.cli.catalog", "show one action: its inputs, effect and examples"),
    "run": ("connector.cli.run", "run an action for each row of a file, or run a job file"),
    "runs": ("connector.cli.runs", "list the latest runs, and how they ended"),
    "rerun": ("connector.cli.rerun", "run the failed rows of a run again, if that is safe"),
    "schedule": (
        "connector.cli.schedule",
        "print the crontab line or systemd units that run a job regularly",
    ),
    "failed": ("connector.cli.failed", "write the input data of a run's failed rows, to correct them"),
    "call": ("connector.cli.call", "run an action once, with inputs given as KEY=VALUE"),
    "preview": ("connector.cli.preview", "show the request of each row without sending it"),
    "plan": ("connector.cli.plan", "run the reads of a job, and show its changes without sending them"),
    "sync": ("connector.cli.sync", "synchronize NinjaOne with HaloPSA: plan, apply, run, status"),
    "mcp": ("connector.cli.mcp", "offer actions to a language model as an MCP server"),
    "connection": ("connector.cli.connection", "save, list, show, edit, test and remove connections"),
    "serve": ("connector.cli.serve", "serve actions over HTTP to other programs"),
    "key": ("connector.cli.key", "manage the keys of `serve` and `mcp --http`"),
    "worker": ("connector.cli.worker", "run rows of `run --on`, on any number of machines"),
    "demo": ("connector.cli.demo", "run sample jobs against the sandbox"),
    "sandbox": ("connector.cli.sandbox", "start a local mock server of a service (the sandbox)"),
    "new": ("connector.cli.new", "generate the declaration of a new action from an OpenAPI document"),
    "host": ("connector.cli.host", "build an integration for another platform"),
    "catalog": (
        "connector.cli.catalog",
        "browse, export and check the catalog of actions",
    ),
    "docs": ("connector.cli.docs", "print the documentation"),
    "examples": ("connector.cli.docs", "list the example jobs, or copy them to a folder"),
    "completion": ("connector.cli.completion", "print a shell completion script"),
}
"""The module and help text of each command; the module has a function `add_NAME`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: that of the process) and return its exit code."""
    with usable_streams():
        return _main(list(sys.argv[1:] if arguments is None else arguments))


def _main(arguments: list[str]) -> int:
    try:
        return _run_and_flush(arguments)
    except RunError as error:
        print(f"ninjaone: {error}", file=sys.stderr)
        return NOTHING_RUN
    except RunInterruptedError:
        return _interrupted()
    except RunStoppedError as error:
        print(f"ninjaone: stopped: {error}", file=sys.stderr)
        return STOPPED
    except ConnectorError as error:
        print(f"ninjaone: {error}", file=sys.stderr)
        return OUR_FAULT
    except BrokenPipeError:  # The reader of the output has closed the pipe, as `head` does.
        return STOPPED
    except KeyboardInterrupt:
        return _interrupted()
    except Exception:
        return report_bug()


def report_bug() -> int:
    """Print the traceback of the exception that is handled; return the exit code."""
    import traceback  # imported here, because only bugs need it

    traceback.print_exc()
    print(
        "ninjaone: this is a bug in the connector; please report it with the traceback above",
        file=sys.stderr,
    )
    return OUR_FAULT


def _run_and_flush(arguments: list[str]) -> int:
    """Run a command and flush its output, because Python does not report a failed flush at exit."""
    try:
        exit_code = _run(arguments)
    except SystemExit:  # raised for `--help` and invalid options
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return exit_code


def _interrupted() -> int:
    print("ninjaone: interrupted", file=sys.stderr)
    return INTERRUPTED


def _run(arguments: list[str]) -> int:
    name = next((a for a in arguments if not a.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        raise RunError(f'no command "{name}"{_instead_of(name)}')
    with _modules_kept():
        parser = build_parser([name]) if name else build_parser(list(COMMANDS), with_options=False)
    options, left = parser.parse_known_args(arguments)
    if name == "call":  # argparse does not parse KEY=VALUE arguments that follow an option
        options.values += [text for text in left if not text.startswith("-")]
        left = [text for text in left if text.startswith("-")]
    options.command_line = arguments
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    if name is None:
        parser.print_help()
        return NOTHING_RUN
    with _state(options), log_output(options, name):
        exit_code: int = options.command(options)
        return exit_code


def _state(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Check `--state`, and return a context manager that applies it.

    It also applies where there is no job yet, such as when `rerun` looks up a run.
    """
    if not getattr(options, "state", None):
        return nullcontext()
    from connector.state.setting import check_state, state_of_command  # imported only if it is used

    options.state = check_state(options.state, "--state")
    return state_of_command(options.state)


def _instead_of(name: str) -> str:
    """Return the end of the error message for an unknown command: what was probably meant."""
    import shlex  # this and the catalog are imported only for the message

    from connector.catalog.catalog import Catalog

    if name.lower().endswith((".yaml", ".yml")):
        return f"; to run a job: ninjaone run {shlex.quote(name)}"
    if name in Catalog().names:
        call, run = f"ninjaone call {name}", f"ninjaone run {name}"
        return f"; to run this action, use `{call}`, or `{run}` for the rows of a file"
    similar = nearest(name, COMMANDS)
    if not similar and "_" in name:
        similar = nearest(name, [f"call {action}" for action in Catalog().names])
    return f"{similar}; `ninjaone --help` lists the commands, `ninjaone actions` the actions"


@contextmanager
def _modules_kept() -> Iterator[None]:
    """Disable garbage collection during imports, and exclude the imported objects from later collections.

    Imported modules are never garbage, and traversing them takes 10 % of the time of a short command.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def build_parser(names: Sequence[str], *, with_options: bool = True) -> argparse.ArgumentParser:
    """Return a parser for the given commands; the modules of other commands are not imported.

    Without their options, it can only list the commands, and no module is imported.
    """
    parser = argparse.ArgumentParser(
        prog="ninjaone",
        description="Run actions of NinjaOne and HaloPSA for each row of a file; inputs are Jinja templates.",
        epilog="exit codes: 0 every row succeeded, 1 some rows failed, 2 nothing was run, "
        "3 stopped (can be resumed), 4 a bug in the connector, 130 interrupted (can be resumed)",
    )
    parser.add_argument("--version", action="version", version=f"ninjaone {connector.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name in names:
        module, help = COMMANDS[name]
        command = commands.add_parser(name, help=help, description=help)
        if with_options:
            getattr(importlib.import_module(module), f"add_{name}")(command)
            add_log_options(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
