"""What every HTML page shares: the frame and its security policy, and the plots.

A page is one file that loads nothing. `page.py` makes the frame around any content and
embeds pictures; `plots.py` makes the matplotlib figures that stand in it.

Read next: `page.py`.
"""
