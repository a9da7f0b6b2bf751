"""The pages on which an action is tried with templates and rows."""
