"""The sign-in of the mock NinjaOne server: client apps, tokens, authorization codes."""
