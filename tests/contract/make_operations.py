"""Regenerate schemas/ninjaone/operations.json: the facts about every published operation.

python -m tests.contract.make_operations OPENAPI.json
"""

import json
import sys
from pathlib import Path

from connector.authoring.openapi_facts import published_facts
from connector.authoring.openapi_names import known_api, with_known_names
from connector.authoring.openapi_operations import operations, resolved_paths
from connector.common.package_data import references, schemas_folder

TARGET = schemas_folder() / "ninjaone" / "operations.json"


def operations_text(document):
    """Return the text of the file, with one line per operation."""
    facts = published_facts(named(document))
    lines = ",\n".join(f"{_compact(name)}:{_compact(known)}" for name, known in facts.items())
    return f'{{"api_version":{_compact(document["info"]["version"])},"operations":{{\n{lines}\n}}}}\n'


def named(document):
    """Return a document whose resources have names: its own, or those we know, where it repeats schemas."""
    responses = [found["responses"] for _, _, found in operations(resolved_paths(document))]
    return document if list(references(responses)) else with_known_names(document, known_api("ninjaone"))


def _compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    TARGET.write_text(operations_text(json.loads(Path(sys.argv[1]).read_text("utf-8"))), "utf-8")
