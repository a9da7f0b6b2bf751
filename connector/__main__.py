"""`python -m connector` is the `ninjaone` command."""

import sys

from connector.cli.main import main

sys.exit(main())
