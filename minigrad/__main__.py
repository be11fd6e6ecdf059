"""`python -m minigrad`: the command line, where its script is not on the path."""

from minigrad.cli import main

raise SystemExit(main())
