"""The schemas of results, which refer to the files of the API document's schemas."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname, join
from typing import Any

from connector.common.package_data import schema as load_schema


def resolved(schema: Mapping[str, Any], folder: str) -> tuple[Mapping[str, Any], str]:
    """Return a schema without a reference, and the folder to which the references in it are relative."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema, folder
    path = join(folder, reference)
    found = load_schema(path)
    return (found if isinstance(found, Mapping) else {}), dirname(path)
