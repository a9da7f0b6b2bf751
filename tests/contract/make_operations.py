"""Regenerate schemas/ninjaone/operations.json: the facts about every published operation.

python tests/contract/make_operations.py OPENAPI.json
"""

import json
import sys
from pathlib import Path

from connector.authoring.openapi_facts import published_facts
from connector.common.package_data import schemas_folder

TARGET = schemas_folder() / "ninjaone" / "operations.json"


def operations_text(document):
    """Return the text of the file, with one line per operation."""
    facts = published_facts(document)
    lines = ",\n".join(f"{_compact(name)}:{_compact(known)}" for name, known in facts.items())
    return f'{{"api_version":{_compact(document["info"]["version"])},"operations":{{\n{lines}\n}}}}\n'


def _compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    TARGET.write_text(operations_text(json.loads(Path(sys.argv[1]).read_text("utf-8"))), "utf-8")
