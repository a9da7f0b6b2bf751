"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""

__version__ = "2.1.0"
