"""The data of a mock HaloPSA account: generated, and changed by requests."""
