"""Playing events: on a page, in the terminal, as moving pictures.

Read `navigation.py` and `breakpoints.py` (moving about), `captions.py` (an event in
words), then `player_page.py`, `terminal_player.py` or `films.py`.
"""
