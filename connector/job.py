"""A job: what a run is made of, from a YAML file (`schemas/job.schema.json`) or the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector import files, output
from connector.declaration import load_declaration
from connector.errors import RunFault
from connector.invoke import Rows

STREAM = "-"
"""The name of standard input and standard output."""


@dataclass(frozen=True)
class Job:
    """The settings of one run. Paths are as given; `delay_ms` None means the action's own default."""

    action: str
    connection: Path | None = None
    templates: Mapping[str, Any] = field(default_factory=dict)
    match_fields: bool = False
    input: str = STREAM
    input_format: str | None = None
    output: str = STREAM
    output_format: str | None = None
    delay_ms: float | None = None
    rows: Rows = "one"
    keep_row: bool = False
    uploads: Path = Path()
    files: Path | None = None
    reveal_secrets: bool = False


def load_job(path: Path) -> Job:
    """Read a job file; the paths in it are relative to its folder. Raises RunFault with file and line."""
    top = load_declaration(path)
    folder = path.parent

    def below(key: str) -> str:
        name: str = top.text(key, STREAM)
        return name if name == STREAM else str(folder / name)

    def one_of(key: str, allowed: tuple[str, ...], default: str | None = None) -> Any:
        name = top.text(key, default)
        if key in top.data and name not in allowed:
            raise top.fault(f'"{name}" is not one of {", ".join(allowed)}', key)
        return name

    connection, saved = top.text("connection", None), top.text("files", None)
    delay_ms = top.value("delay_ms", (int, float), None)
    if delay_ms is not None and delay_ms < 0:
        raise top.fault("a delay cannot be less than 0", "delay_ms")
    job = Job(
        action=top.text("action"),
        connection=None if connection is None else folder / connection,
        templates=top.mapping("templates"),
        match_fields=top.value("match_fields", bool, False),
        input=below("input"),
        input_format=one_of("input_format", files.FORMATS),
        output=below("output"),
        output_format=one_of("output_format", output.FORMATS),
        delay_ms=delay_ms,
        rows=one_of("rows", ("one", "each"), "one"),
        keep_row=top.value("keep_row", bool, False),
        uploads=folder / top.text("uploads", "."),
        files=None if saved is None else folder / saved,
        reveal_secrets=top.value("reveal_secrets", bool, False),
    )
    top.finish()
    return job


def is_job(name: str) -> bool:
    """Tell a job file's name from an action's."""
    return name.lower().endswith((".yaml", ".yml"))


def read_templates(path: Path) -> dict[str, Any]:
    """Read a YAML file of templates by input name. Raises RunFault."""
    from connector import yaml_file

    templates = yaml_file.load(path)
    if not isinstance(templates, dict):
        raise RunFault(f"{path}: a mapping of input names to templates is expected")
    return templates
