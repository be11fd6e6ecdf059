"""Records events from a graph, and converts them to JSON and back.

Read `events.py` (what an event is), `graph_tables.py` (operations and values as data),
`recording.py` (where events come from), `gradient_sums.py` (what they add up to),
`worked_numbers.py` (a formula with its numbers), `json_format.py` (to a file and back).

Read next: `events.py`.
"""
