"""The mock service of HaloPSA."""
