"""`python -m minigrad`: the command line, where its script is not on the path."""

from minigrad.commands.main import main

raise SystemExit(main())
