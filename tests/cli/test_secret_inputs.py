"""Inputs that are secret, on the command line and in previews."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.common.redaction import HIDDEN
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process


@pytest.mark.parametrize(
    "arguments",
    [
        ("call", "create_secure_related_item", "entity_type=NODE", "password=own-pass"),
        ("call", "configure_webhook", 'headers=[{"name": "X", "value": "own-pass"}]'),
        (
            "run",
            "create_secure_related_item",
            "-i",
            "rows.jsonl",
            "-t",
            "password=own-pass",
            "--match-fields",
        ),
        (
            "preview",
            "create_secure_related_item",
            "-i",
            "rows.jsonl",
            "-t",
            "password=own-pass",
            "--match-fields",
        ),
    ],
)
def test_a_secret_is_no_argument(ninjaone: Ninjaone, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write_lines(tmp_path / "rows.jsonl", [{}])
    done = ninjaone(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "secrets cannot be passed as arguments" in done.stderr
    assert "own-pass" not in done.stderr


def test_a_preview_shows_where_one_goes_and_not_what_it_is(ninjaone: Ninjaone, tmp_path: Path) -> None:
    write_lines(
        tmp_path / "rows.jsonl", [{"entity_type": "NODE", "entity_id": 5, "name": "n", "pass": "own-pass"}]
    )
    options = ("-i", "rows.jsonl", "--match-fields")
    by_template = ninjaone("preview", "create_secure_related_item", *options, "-t", "password={{ pass }}")
    (tmp_path / "templates.yaml").write_text("password: own-pass\n")
    constant = ninjaone("preview", "create_secure_related_item", *options, "--templates", "templates.yaml")
    assert "# password <- the template {{ pass }}\n" in by_template.stdout
    assert f"# password <- the template {HIDDEN}\n" in constant.stdout
    for done in (by_template, constant):
        assert done.returncode == 0, done.stderr
        assert f'"password": "{HIDDEN}"' in done.stdout
        assert "own-pass" not in done.stdout
