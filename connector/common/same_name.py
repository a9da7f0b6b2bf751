"""Compares names as people write them."""

from __future__ import annotations


def same_name(name: str) -> str:
    """Return a name normalized for comparison: Unicode NFKC, case folded, single spaces.

    So an accent is one character or two, as macOS writes it, and a no-break space is a space.
    """
    if not name.isascii():
        import unicodedata  # imported only for such names

        name = unicodedata.normalize("NFKC", name)
    return " ".join(name.casefold().split())
