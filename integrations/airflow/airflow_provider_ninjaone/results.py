"""What an operator does with a result: it returns a small one, and writes a large one to a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from airflow_provider_ninjaone.compat import AirflowFailException

XCOM_BYTES = 48 * 1024
"""The default size of the largest result that is returned, as JSON. MySQL stores 64 KB."""


def make_folder(path: str) -> None:
    """Make the folder of a file. Raises OSError; nothing was sent yet."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def write_result(result: Any, action: str, path: str) -> dict[str, Any]:
    """Write a result to a file as JSON, all of it or nothing, and return what the task returns instead.

    Raises AirflowFailException, because a retry would send the request again.
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    content = json.dumps(result).encode()  # in ASCII, which can represent lone surrogates
    try:
        partial.write_bytes(content)
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise AirflowFailException(
            f"{action} succeeded, but its result cannot be written to {path}: {error.strerror}"
        ) from error
    items = {"items": len(result)} if isinstance(result, list) else {}
    return {"output_file": path, "bytes": len(content), **items}


def require_small(result: Any, action: str, limit: int) -> None:
    """Raise AirflowFailException for a result that is too large for the metadata database."""
    size = len(json.dumps(result).encode())
    if size > limit:
        raise AirflowFailException(
            f"{action} succeeded, but its result has {size:,} bytes, and XCom is for at most {limit:,}. Use "
            "output_file=FILE to write it to a file, select less with the inputs of the action, or set "
            "do_xcom_push=False if no other task needs the result"
        )
