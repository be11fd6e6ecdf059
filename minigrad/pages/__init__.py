"""What every HTML page shares: the frame and its security policy, and the plots.

A page is one file that loads nothing. `page.py` makes the frame around any content and
embeds pictures, `notebook_view.py` is what notebooks are given of an object, `plots.py`
makes the matplotlib figures that stand in both.

Read next: `page.py`.
"""
