"""Types of command-line arguments that are names of files, for argparse."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def file_name(text: str) -> str:
    """Return the name of a file or folder. Raises ArgumentTypeError if it is empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text


def file_path(text: str) -> Path:
    """Return the path of a file. Raises ArgumentTypeError if it is empty, or that of a folder."""
    if file_name(text).endswith(("/", os.sep)):
        raise argparse.ArgumentTypeError(f'"{text}" is a folder; name a file in it')
    return Path(text)
