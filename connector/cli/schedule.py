"""The `schedule` command: print what runs a job at regular times by cron or systemd. It installs nothing."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from connector.catalog.service import Service
from connector.cli.action_sources import open_catalog
from connector.cli.cron_times import CronTime, read_cron, read_time_of_day
from connector.cli.given_job import make_jobs
from connector.cli.main import OK
from connector.cli.notify import notify_settings
from connector.cli.notify_text import compile_notification
from connector.cli.run import add_run
from connector.cli.schedule_text import ScheduledCommand, crontab_line, service_unit, timer_unit
from connector.cli.webhook import Webhook
from connector.common.clock import SystemClock
from connector.common.user_folders import STATE_DIR, write_whole
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.connections.settings import OF_ANY, SAFEGUARDS, fields_of, is_file, settings_of_environment
from connector.errors import RunError
from connector.runs.job import STREAM, Job, of_service
from connector.runs.job_file import is_job
from connector.runs.prepared import Prepared, prepare_all
from connector.state.setting import VARIABLE, find_state, passwords_of, shown
from connector.templating.scope import is_template

_FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", STATE_DIR)
"""Environment variables with the folders of saved connections and records, which the run needs as well."""
_LONG_AFTER_S = 400 * 86400 + 3661


def add_schedule(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone schedule`: its own options, and those of `run`."""
    _add_own(parser, is_required=True)
    add_run(parser)
    parser.set_defaults(command=_schedule)


def _add_own(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    group = parser.add_argument_group("schedule", "all other options are those of `run`")
    times = group.add_mutually_exclusive_group(required=is_required)
    times.add_argument("--daily", metavar="HH:MM", help="every day at this local time, such as 02:00")
    times.add_argument(
        "--cron", metavar="EXPRESSION", help='at the times of a cron expression, such as "15 2 * * mon-fri"'
    )
    kinds = group.add_mutually_exclusive_group()
    kinds.add_argument("--crontab", action="store_true", help="print a line for a crontab (default)")
    kinds.add_argument("--systemd", action="store_true", help="print a service and a timer of systemd")
    group.add_argument("--name", help="name of the units (default: ninjaone- and the name of the job)")
    group.add_argument(
        "--units", metavar="DIR", type=Path, help="write the service and the timer to DIR; implies --systemd"
    )


def _schedule(options: argparse.Namespace) -> int:
    when = read_time_of_day(options.daily) if options.daily else read_cron(options.cron)
    if options.units and options.crontab:
        raise RunError("--units writes units of systemd; omit --crontab")
    now = SystemClock().now()
    jobs = _jobs(options, now)
    steps = prepare_all(jobs, open_catalog(options), now)
    _check_input(steps)
    connection, notes = _connection(steps)
    if jobs[0].output_exists == "fail" and _outputs(jobs) & _outputs(_jobs(options, now + _LONG_AFTER_S)):
        notes.append(
            "the output has the same name in every run, so that the second run fails; use a template such as "
            "\"out-{{ now | format_datetime('%Y-%m-%d') }}.jsonl\", or --output-exists"
        )
    notes += _notification_notes(options)
    arguments = [*_own_program(), "run", *_run_arguments(options, jobs[0], connection)]
    command = ScheduledCommand(
        name=_unit_name(options),
        user=_user(),
        arguments=arguments,
        folder=Path.cwd(),
        environment=_environment(steps),
    )
    if options.systemd or options.units:
        _print_units(command, when, options.units)
    else:
        print(crontab_line(command, when))
        print("ninjaone: add this line to your crontab with `crontab -e`", file=sys.stderr)
    for note in notes:
        print(f"ninjaone: {note}", file=sys.stderr)
    return OK


def _jobs(options: argparse.Namespace, now: float) -> tuple[Job, ...]:
    """Return the jobs of a run that starts at the time `now`. Raises RunError."""
    return make_jobs(options, now, spare=lambda: Path(f"steps-{now}"))


def _outputs(jobs: Sequence[Job]) -> set[str]:
    return {job.output for job in jobs if job.output != STREAM}


def _check_input(steps: Sequence[Prepared]) -> None:
    """Raise RunError if a step reads rows from standard input, which is empty in a scheduled run."""
    for step in steps:
        if step.job.input == STREAM:
            raise RunError(
                f"{step.job.label}: the run reads rows from standard input, which is empty in a scheduled "
                "run; use --input FILE"
            )


def _run_arguments(options: argparse.Namespace, job: Job, connection: str | None) -> list[str]:
    """Return the arguments of `run`: the given ones, without those of `schedule`, and missing ones."""
    own = argparse.ArgumentParser(add_help=False)
    _add_own(own, is_required=False)
    given = own.parse_known_args(options.command_line)[1]
    given.remove("schedule")
    base = str(Path(options.action).with_suffix("")) if is_job(options.action) else options.action
    if not options.yes:
        given.append("--yes")
    if not job.summary:
        given += ["--summary", f"{base}.summary.json"]
    if not options.log_file:
        given += ["--log-file", f"{base}.log"]
    return [*given, "--connection", connection] if connection else given


def _own_program() -> list[str]:
    """Return the command of this `ninjaone`, with absolute paths."""
    for path in (Path(sys.argv[0]), Path(sys.executable).with_name("ninjaone")):
        if path.name == "ninjaone" and os.access(path, os.X_OK):
            return [os.path.abspath(path)]
    return [os.path.abspath(sys.executable), "-m", "connector"]


def _unit_name(options: argparse.Namespace) -> str:
    if options.name:
        if not re.fullmatch(r"[\w.-]{1,200}", options.name, re.ASCII):
            raise RunError(f'--name: "{options.name}" has a character other than letters, digits, -, _ and .')
        return str(options.name)
    job = Path(options.action).stem if is_job(options.action) else options.action
    return "ninjaone-" + re.sub(r"[^\w.-]+", "-", job, flags=re.ASCII)


def _user() -> str:
    with suppress(KeyError, OSError, ImportError):  # raised for a user without a name
        return getpass.getuser()
    if sys.platform == "win32":
        return ""
    else:
        return str(os.getuid())


def _environment(steps: Sequence[Prepared]) -> dict[str, str]:
    """Return the variables of this shell that the run needs: folders, and safeguards of connections."""
    safeguards = [step.service.environment + name.upper() for step in steps for name in SAFEGUARDS]
    if passwords_of(state := find_state(steps[0].job.state)):
        raise RunError(
            f"the URL of the state in {shown(state)} has a password, which would be in the schedule; put the "
            "password in ~/.pgpass, and omit it from the URL"
        )
    return {name: os.environ[name] for name in (*_FOLDERS, VARIABLE, *safeguards) if os.environ.get(name)}


def _connection(steps: Sequence[Prepared]) -> tuple[str | None, list[str]]:
    """Return the connection to name in the command, or None, and notes about the connections."""
    named = {step.service.name: of_service(step.job, step.service.name).connection for step in steps}
    chosen: str | None = None
    notes = []
    if len(named) == 1 and not any(step.job.connections for step in steps) and not any(named.values()):
        service = steps[0].service
        chosen = os.environ.get(service.environment + "CONNECTION")
        if not chosen and _is_in_environment(service, os.environ):
            notes.append(
                f"the connection is in the variables {service.environment}* of this shell, which a scheduled "
                "run does not have; save it with `ninjaone connection add NAME`, and use --connection NAME"
            )
        elif not chosen:
            chosen = SavedConnections().default(service.name)
    used = {of_service(step.job, step.service.name).connection for step in steps} | {chosen}
    return chosen, [*notes, *_keyring_notes(name for name in sorted(filter(None, used)))]


def _is_in_environment(service: Service, environment: Mapping[str, str]) -> bool:
    names = [name for name in fields_of(service) if name not in OF_ANY]
    return bool(settings_of_environment(service, environment, names))


def _keyring_notes(connections: Iterator[str]) -> Iterator[str]:
    for name in connections:
        if is_template(name) or is_file(name):
            continue
        if "keyring" in SecretStore().places(name).values():
            yield (
                f"the secret of the connection {name} is in the keyring, which a scheduled run may not be "
                f"able to read; store it in a file with `ninjaone connection edit {name} --no-keyring`"
            )


def _notification_notes(options: argparse.Namespace) -> Iterator[str]:
    """Check the notifications, and yield notes about them. Raises RunError, as the scheduled run would."""
    settings = notify_settings(options, Path(options.action) if is_job(options.action) else None)
    if settings.template:
        compile_notification(settings.template)
    for name, given in (("--notify-url", settings.url), ("--ping-url", settings.ping_url)):
        if given and "${" not in given:
            Webhook(given, name)
        elif given:
            yield (
                f"{name}: the scheduled run does not have the environment variables of this shell; name a "
                "file that contains the URL"
            )


def _print_units(command: ScheduledCommand, when: CronTime, folder: Path | None) -> None:
    """Print the units, or write them to a folder. Raises RunError if a file exists or cannot be written."""
    units = {
        f"{command.name}.service": service_unit(command),
        f"{command.name}.timer": timer_unit(command, when),
    }
    place = folder or Path("/etc/systemd/system")
    if folder:
        for name in units:
            if (folder / name).exists():
                raise RunError(f"{folder / name}: already exists; use another --name or --units")
        for name, text in units.items():
            try:
                write_whole(folder / name, text.encode(errors="surrogateescape"), mode=0o666)
            except OSError as error:
                raise RunError(f"{folder / name}: cannot be written: {error.strerror}") from error
    else:
        print("\n".join(f"# {place / name}\n{text}" for name, text in units.items()), end="")
    then = f"systemctl enable --now {command.name}.timer"
    if folder:
        print(f"ninjaone: copy both files to /etc/systemd/system, then: {then}", file=sys.stderr)
    else:
        print(f"ninjaone: save these as two files, then: {then}", file=sys.stderr)
