"""Sample jobs for `ninjaone demo --service halopsa`."""
