"""The command `python -m integrations.n8n.generator`."""

import sys

from connector.catalog.catalog import Catalog
from integrations.n8n.generator.files import files, outdated, write
from integrations.n8n.generator.node import nodes

made = files(nodes(Catalog()))
if sys.argv[1:] == ["--check"]:
    old = outdated(made)
    for path in old:
        print(f"{path} is not up to date; run: make reference")
    sys.exit(1 if old else 0)
write(made)
