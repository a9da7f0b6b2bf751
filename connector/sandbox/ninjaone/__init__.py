"""The mock NinjaOne server: its operations, data and sign-in."""
