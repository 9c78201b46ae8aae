"""`python -m mom`, the same as the installed command."""

import sys

from mom.cli import main

sys.exit(main())
