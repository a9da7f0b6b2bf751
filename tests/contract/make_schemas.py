"""Regenerate schemas/ninjaone/<Resource>.json: every resource in a response of the published API.

python -m tests.contract.make_schemas OPENAPI.json

What the published document has without a name, or wrongly, stands in BY_HAND. So nothing is lost when the
files are written again, and a test refuses a file that stands in neither.
"""

import json
import sys
from pathlib import Path

from connector.authoring.openapi_schemas import resource_schemas
from connector.common.package_data import schemas_folder
from tests.contract.make_operations import named

FOLDER = schemas_folder() / "ninjaone"
OTHERS = {"operations"}
"""Files of the folder that are not resources."""

BY_HAND = {
    # The answer of every operation that gets custom fields: a map without a name.
    "CustomFieldValues": {"type": "object", "additionalProperties": {"x-type": "object"}},
}
"""By resource: keywords that replace the published ones (`catalog drift` ignores them), or all of them."""


def schema_texts(document):
    """Return the name of each resource and the text of its file."""
    schemas = resource_schemas(named(document), "ninjaone")
    for name, keywords in BY_HAND.items():
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"ninjaone/{name}.json"}
        corrected = {"x-corrected": sorted(keywords)} if name in schemas else {}
        schemas[name] = {**head, "title": name, **schemas.get(name, {}), **keywords, **corrected}
    return {
        name: json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


if __name__ == "__main__":
    texts = schema_texts(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    for path in FOLDER.glob("*.json"):
        if path.stem not in texts and path.stem not in OTHERS:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / f"{name}.json").write_text(text, "utf-8")
