"""Regenerate schemas/SERVICE/operations.json: the facts about published operations.

python -m tests.contract.make_operations OPENAPI.json [SERVICE]

Of a service in PARTIAL, only the operations that its actions use are kept.
"""

import json
import sys
from pathlib import Path

from connector.authoring.drift import used_operations
from connector.authoring.openapi_facts import published_facts
from connector.authoring.openapi_names import known_api, with_known_names
from connector.authoring.openapi_operations import operations, resolved_paths
from connector.authoring.openapi_repair import repaired
from connector.catalog.catalog import Catalog
from connector.common.package_data import references, schemas_folder

PARTIAL = {"halopsa"}
"""Services with far more operations than the catalog is meant to have."""


def target(service):
    """Return the path of a service's file."""
    return schemas_folder() / service / "operations.json"


TARGET = target("ninjaone")


def operations_text(document, service="ninjaone"):
    """Return the text of the file, with one line per operation."""
    facts = published_facts(named(document, service))
    if service in PARTIAL:
        used = used_operations(list(Catalog().actions(service)), facts)
        facts = {name: known for name, known in facts.items() if name in used}
    lines = ",\n".join(f"{_compact(name)}:{_compact(known)}" for name, known in facts.items())
    head = {"api_version": document["info"]["version"], **({"partial": True} if service in PARTIAL else {})}
    return f'{_compact(head)[:-1]},"operations":{{\n{lines}\n}}}}\n'


def named(document, service="ninjaone"):
    """Return a document whose resources have names: its own, or those we know, where it repeats schemas."""
    document = repaired(document, Catalog().service(service))
    responses = [found["responses"] for _, _, found in operations(resolved_paths(document))]
    return document if list(references(responses)) else with_known_names(document, known_api(service))


def _compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    document, service = json.loads(Path(sys.argv[1]).read_text("utf-8")), (*sys.argv[2:], "ninjaone")[0]
    target(service).write_text(operations_text(document, service), "utf-8")
