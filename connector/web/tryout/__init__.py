"""The "Try" page, which previews an action's requests for templates and rows."""
