"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""

import logging

logging.getLogger(__name__).addHandler(
    logging.NullHandler()
)  # applications that import the package configure logging themselves

__version__ = "2.1.0"
