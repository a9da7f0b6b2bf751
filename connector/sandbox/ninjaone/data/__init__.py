"""The data of a NinjaOne sandbox account: devices, organizations and the rest."""
