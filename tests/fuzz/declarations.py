"""Declarations, jobs and other YAML: loaded, or refused by an error that names the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import strategies as st

from connector.catalog.action import load_action
from connector.catalog.service import load_service
from connector.common import strict_yaml
from connector.common.package_data import actions_folder
from connector.errors import RunError
from connector.runs.job_file import load_jobs
from tests.fuzz.target import Target, damaged, refused

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
FILES = sorted(actions_folder().rglob("*.yaml"))
JOB = b"""\
action: get_device
input: rows.jsonl
output: out.jsonl
templates: {device_id: "{{ device }}"}
"""
STEPS = (
    JOB
    + b"steps:\n  - {name: a, action: get_device}\n"
    + b"  - {name: b, action: x, input: {step: a, only: '{{ c }}'}}\n"
)
BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: {<<: [*c, *c]}\n"
SEEDS = [JOB, STEPS, BOMB, b"- " * 500, b"{a: " * 500, *(path.read_bytes() for path in FILES[::10])]
WORDS = [
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!python/object:os.system ",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "  ",
    "|",
    ">",
    "'",
    '"',
]
texts = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=30).map("".join)
inputs = st.one_of(
    damaged(SEEDS), texts.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=50)
)


def check(data: bytes) -> None:
    """Load the file as each kind of file."""
    path = FOLDER / "file.yaml"
    path.write_bytes(data)
    for load in (strict_yaml.load, lambda path: load_action(path, {}), load_service, load_jobs):
        try:
            load(path)
        except RunError as error:
            refused(error, path.name)
    strict_yaml.head(path)
    try:
        strict_yaml.load(path)
    except RunError:
        return
    strict_yaml.line_of(path, ["steps", 0, "name"])


TARGET = Target("declarations", inputs, check)
