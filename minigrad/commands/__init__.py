"""The command line: one file per command, thin.

`main.py` finds the command that was asked for; each other file reads its arguments,
makes a call that anyone could make from Python, and shows the result. The small network
that draw, step and flow run is made in `demo_network.py`.

Read next: `main.py`.
"""
