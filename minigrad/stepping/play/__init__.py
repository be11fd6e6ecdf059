"""Plays events: on a page, in the terminal, or as animated pictures.

Read `navigation.py` and `breakpoints.py` (moving about), `captions.py` (an event in
words), then the terminal (`event_keys.py`, `event_view.py`, `terminal_player.py`), the
page (`player_page.py`) and pictures (`highlights.py`, `films.py`).

Read next: `navigation.py`.
"""
