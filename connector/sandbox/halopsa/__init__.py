"""The mock HaloPSA server."""
