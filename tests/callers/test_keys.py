"""Keys: how they are stored, and the command `ninjaone key`."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from connector.callers.keys import Keys, Rights
from connector.cli.main import main
from connector.errors import RunError

DAY = "2026-11-29"


def test_only_the_digest_of_a_key_is_stored_for_this_user_alone(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "new")
    secret = keys.add("n8n", Rights(), DAY)
    assert len(secret) > 40
    assert secret not in keys.path.read_text()
    if sys.platform != "win32":
        assert stat.S_IMODE(os.stat(keys.path).st_mode) == 0o600
    found = keys.find(secret)
    assert found is not None
    assert found.name == "n8n"
    assert keys.find(secret[:-1]) is None
    assert keys.find(found.sha256) is None


@pytest.mark.parametrize(
    ("name", "rights", "said"),
    [
        ("n8n", Rights(), "already exists"),
        ("A B", Rights(), "not a valid name"),
        ("x", Rights(effects=("reed",)), 'no effect "reed" (did you mean "read"?)'),
        ("x", Rights(actions=()), "used for nothing"),
    ],
)
def test_what_cannot_be_added(tmp_path: Path, name: str, rights: Rights, said: str) -> None:
    keys = Keys(tmp_path)
    keys.add("n8n", Rights(), DAY)
    with pytest.raises(RunError) as error:
        keys.add(name, rights, DAY)
    assert said in str(error.value)
    assert [key.name for key in keys.all()] == ["n8n"]


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', '{"version": 1, "keys": [3]}', '{"version": 2}'])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, text: str) -> None:
    keys = Keys(tmp_path)
    keys.path.write_text(text)
    with pytest.raises(RunError, match=r"damaged|version 2") as error:
        keys.find("anything")
    assert "delete" not in str(error.value)  # a server that is started without the file needs no key
    with pytest.raises(RunError, match=r"damaged|version 2"):
        keys.add("x", Rights(), DAY)
    assert keys.path.read_text() == text


def test_the_command_adds_lists_and_removes(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--effect", "read,write", "--actions", "list_*,no_such")
    assert main(["key", "add", "n8n", *options]) == 0
    out, err = capsys.readouterr()
    secret = out.strip()
    assert secret.startswith("nck_")
    assert 'no action of the catalog matches "no_such"' in err
    assert '"n8n" may call list_*, no_such with the effect read or write' in err
    assert secret not in err
    found = Keys().find(secret)
    assert found is not None
    assert found.rights == Rights(("read", "write"), ("list_*", "no_such"))
    assert main(["key", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["effects"] == ["read", "write"]
    assert main(["key", "list"]) == 0
    assert capsys.readouterr().out.startswith("n8n ")
    assert main(["key", "add", "other", "--connection", "no_such"]) == 2
    assert main(["key", "remove", "n8m"]) == 2
    assert 'no key "n8m" (did you mean "n8n"?)' in capsys.readouterr().err
    assert main(["key", "remove", "n8n"]) == 0
    assert Keys().all() == []
    assert "no key is left" in capsys.readouterr().err
    assert main(["serve", "--host", "0.0.0.0"]) == 2
