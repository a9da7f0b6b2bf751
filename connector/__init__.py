"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())  # who embeds us decides what is printed

__version__ = "2.1.0"
