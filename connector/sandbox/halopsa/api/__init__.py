"""The parts of the mock HaloPSA API that all areas share: requests, lists, writes, custom fields."""
