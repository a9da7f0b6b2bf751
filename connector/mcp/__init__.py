"""A Model Context Protocol server over the catalog. Only this package imports the SDK (`mcp`)."""
