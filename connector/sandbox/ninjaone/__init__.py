"""NinjaOne's mock server: its operations, areas, data and sign-in."""
