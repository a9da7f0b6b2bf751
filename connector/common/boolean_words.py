"""The words that mean true or false in texts, such as the cells of a table."""

BOOLEAN_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
"""The meaning of each word, in lower case."""
