"""Page rendering with Jinja: autoescaping is on, and undefined variables are errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import connector
from connector.web.highlight import highlight

STATIC = Path(__file__).parent / "static"
"""The folder of the style sheets, scripts and vendored libraries."""


class Renderer:
    """Renders pages for the server or for an export; in templates, `served` is true for the server."""

    def __init__(self, *, served: bool, csrf_token: str = "") -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            served=served, csrf_token=csrf_token, version=connector.__version__, highlight=highlight
        )

    def page(self, template: str, root: str, **values: Any) -> str:
        """Return a page's HTML. `root` is the relative URL from the page to the site's root."""
        return self._environment.get_template(template).render(root=root, **values)
