"""Sign-in to the NinjaOne sandbox: client apps, tokens, authorization codes."""
