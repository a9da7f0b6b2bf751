"""How operations of the mock service receive requests and form responses."""
