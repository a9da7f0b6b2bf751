"""The data of a mock NinjaOne account: devices, organizations and the rest."""
