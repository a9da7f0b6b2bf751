"""A port that does not exist is refused by all commands that listen on one, before they start."""

from __future__ import annotations

import pytest

from connector.cli.main import main


@pytest.mark.parametrize("command", ["serve", "mcp --http", "sandbox", "catalog serve", "sync serve ."])
@pytest.mark.parametrize("port", ["-1", "65536", "x", "\u0668", "1.0"])
def test_no_port(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), f"--port={port}"])
    assert ended.value.code == 2
    assert f"argument --port: {port} is not a port number (0 to 65535)" in capsys.readouterr().err
