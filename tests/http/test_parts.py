"""Multipart bodies: inputs that fill members of one JSON part, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.action import Action, load_action
from connector.catalog.service import Service
from connector.errors import DeclarationError
from connector.http.messages import MultipartPart
from connector.invocation.handlers import Inputs


def action(folder: Path, inputs: dict[str, str], parts: dict[str, Any]) -> Action:
    """An action whose inputs go to the given places."""
    path = folder / "send_parts.yaml"
    declared = {
        "name": "send_parts",
        "title": "Send",
        "summary": "Send.",
        "operation": "send",
        "request": "POST /v2/parts",
        "effect": "write",
        "idempotent": False,
        "inputs": {name: {"title": name, "to": to} for name, to in inputs.items()},
        "parts": parts,
        "result": "none",
    }
    path.write_text(yaml.safe_dump(declared, sort_keys=False), "utf-8")
    return load_action(path, {})


JSON = {"media_type": "application/json"}
INPUTS = {
    "public": "part.comment.public",
    "file": "part.files",
    "by": "part.comment.author.name",
    "text": "part.comment.body",
}


@pytest.fixture
def parts(tmp_path: Path, service: Service) -> Any:
    made = action(tmp_path, INPUTS, {"comment": JSON, "files": {"file": True}})
    (tmp_path / "a.txt").write_text("a")

    def parts(**values: Any) -> list[MultipartPart]:
        return sorted(Inputs(made, service, values, tmp_path).request().parts, key=lambda p: p.name)

    return parts


def test_members_make_one_part(parts: Any, tmp_path: Path) -> None:
    assert parts(public=False, file="a.txt", by="Casey", text="Done") == [
        MultipartPart(
            "comment", "application/json", {"public": False, "author": {"name": "Casey"}, "body": "Done"}
        ),
        MultipartPart("files", None, path=tmp_path / "a.txt"),
    ]


def test_absent_members_are_left_out(parts: Any) -> None:
    assert parts(text="Done") == [MultipartPart("comment", "application/json", {"body": "Done"})]


def test_a_part_without_members_is_not_sent(parts: Any, tmp_path: Path) -> None:
    assert parts(file=["a.txt"]) == [MultipartPart("files", None, path=tmp_path / "a.txt")]


@pytest.mark.parametrize(
    ("inputs", "declared", "says"),
    [
        ({"a": "part.x", "b": "part.x.b"}, {"x": JSON}, 'it has the same `to` as "a"'),
        ({"a": "part.x.a"}, {"x": {"file": True}}, 'the part "x" is a file, which has no members'),
    ],
)
def test_a_part_is_one_thing_alone(tmp_path: Path, inputs: dict[str, str], declared: Any, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        action(tmp_path, inputs, declared)


def test_a_member_of_an_undeclared_part(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match='the part "x" is not declared'):
        action(tmp_path, {"a": "part.x.a"}, {})
