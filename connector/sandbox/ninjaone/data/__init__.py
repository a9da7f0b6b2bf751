"""What a NinjaOne sandbox account holds: devices, organizations and all that belongs to them."""
