"""What there is to play: events, and their JSON.

Read `events.py` (what an event is), `recording.py` (where events come from),
`json_format.py` (to a file and back), `worked_numbers.py` (a formula with its numbers).
"""
