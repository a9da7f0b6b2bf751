"""LogicHub's side of its SDK: environment variables and rows in, the SDK's commands run, results out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

ROWS_FOLDER = "__lh_integration_input_data_json_folder_path"
RESULTS_FILE = "__lh_integration_output_data_json_file_path"
DELAY = "time_between_consecutive_requests_milliseconds"

Mode = Literal["file", "pipe"]
MODES: tuple[Mode, ...] = ("file", "pipe")
MODE_IN_BRIEF = ("file", pytest.param("pipe", marks=pytest.mark.slow))
"""For tests of what both modes share: test_lhub_run.py has the differences."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What came of a command: what it wrote as results, byte by byte, and what it printed besides."""

    code: int
    results: bytes
    said: str
    mode: Mode

    @property
    def answers(self) -> list[tuple[Any, Any]]:
        """Each result, read, behind the `lhub_id` that it goes to."""
        return [self._answer(line) for line in self.results.decode().splitlines()]

    def _answer(self, line: str) -> tuple[Any, Any]:
        if self.mode == "file":
            wrapped = json.loads(line)
            result = wrapped["result"]
            assert (wrapped["stdout"], wrapped["stderr"]) == ("", ""), line
            return wrapped["original_lhub_id"], json.loads(result) if isinstance(result, str) else result
        assert line.startswith("[result]"), line
        text, lhub_id = line.removeprefix("[result]"), None
        if text.startswith("[meta]"):
            meta, _, text = text.removeprefix("[meta]").partition("[/meta]")
            lhub_id = json.loads(meta)["original_lhub_id"]
        return lhub_id, json.loads(text)

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """The results alone, of a run that came to its end."""
        assert self.code == 0, (self.results, self.said)
        return [result for _, result in self.answers]

    @property
    def envelope(self) -> dict[str, Any]:
        """The only result of a run that came to its end."""
        (envelope,) = self.envelopes
        return envelope

    @property
    def refusal(self) -> str:
        """What the platform is told when nothing was run."""
        assert self.code != 0
        _, message = self.answers[-1]
        assert message.keys() == {"errors", "message"}
        return str(message["message"])


@dataclass(frozen=True)
class LogicHub:
    """One integration's folder on the platform. `variables` are those of its connection."""

    python: Path
    folder: Path
    work: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def sdk(self, module: str, *arguments: str, stdin: bytes = b"", **variables: str) -> Any:
        """Run one of the SDK's commands in the integration's folder."""
        return subprocess.run(
            [self.python, "-m", f"lhub_integ.{module}", *arguments],
            cwd=self.folder,
            env=self.environment(**variables),
            input=stdin,
            capture_output=True,
            timeout=120,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment of a command: what the platform sets, without this Python's."""
        ours = ("PYTHON", "VIRTUAL_ENV", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**clean, **self.variables, **variables}

    def metadata(self) -> dict[str, Any]:
        """Run `generate_metadata`."""
        done = self.sdk("generate_metadata")
        assert done.returncode == 0, done.stderr
        described: dict[str, Any] = json.loads(done.stdout.decode().removeprefix("[result] "))
        return described

    def validate(self, *arguments: str, **variables: str) -> tuple[int, Any]:
        """Run `shim_validate`: its exit code, and what it says."""
        done = self.sdk("shim_validate", *arguments, **variables)
        return done.returncode, json.loads(done.stdout.decode().removeprefix("[result] "))

    def run(
        self,
        action: str,
        rows: Sequence[Row],
        templates: Mapping[str, str] | None = None,
        mode: Mode = "file",
        **variables: str,
    ) -> Ran:
        """Run `shim_exec` over rows, in one of its two modes. The pause is 0 unless `variables` say more."""
        if mode == "pipe":
            return self.pipe(action, b"".join(line({"row": row}) for row in rows), templates, **variables)
        return self.run_files(action, {"part-00000": b"".join(map(line, rows))}, templates, **variables)

    def run_files(
        self,
        action: str,
        parts: Mapping[str, bytes],
        templates: Mapping[str, str] | None = None,
        **variables: str,
    ) -> Ran:
        """Run `shim_exec` in its mode for files, over a new folder of the given ones."""
        folder = self.work / "rows"
        folder.mkdir()
        for name, content in parts.items():
            (folder / name).write_bytes(content)
        try:
            return self.run_folder(action, folder, templates, **variables)
        finally:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    def run_folder(
        self, action: str, folder: Path, templates: Mapping[str, str] | None = None, **variables: str
    ) -> Ran:
        """Run `shim_exec` in its mode for files, over a folder that is there or not."""
        results = self.work / "results"
        files = {ROWS_FOLDER: str(folder), RESULTS_FILE: str(results)}
        given = {**files, **settings(templates), **variables}
        done = self.sdk("shim_exec", "-e", f"main.{action}", **given)
        return Ran(done.returncode, results.read_bytes(), (done.stdout + done.stderr).decode(), "file")

    def pipe(
        self, action: str, stdin: bytes, templates: Mapping[str, str] | None = None, **variables: str
    ) -> Ran:
        """Run `shim_exec` in its mode for pipes."""
        variables = {**settings(templates), **variables}
        done = self.sdk("shim_exec", "-e", f"main.{action}", stdin=stdin, **variables)
        return Ran(done.returncode, done.stdout, done.stderr.decode(), "pipe")


def settings(templates: Mapping[str, str] | None) -> dict[str, str]:
    """Return the variables of an action's inputs, and of no interval."""
    return {DELAY: "0"} | {f"___{name}": text for name, text in (templates or {}).items()}


def line(row: Any) -> bytes:
    """Write a row as the platform does."""
    return json.dumps(row).encode() + b"\n"
