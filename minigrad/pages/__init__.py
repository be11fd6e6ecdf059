"""What every HTML page shares: the frame and its security policy, and the plots.

A page is one file that loads nothing. `page.py` makes the frame around any content and
embeds pictures, `glossary.py` adds a box of words and symbols to it, `notebook_view.py`
is what notebooks are given of an object, `output_files.py` checks where a page is
written, `themed_svg.py` makes one drawing of a light and a dark one, `dark_plots.py`
gives a plot colours for dark pages, `plots.py` makes the matplotlib figures.

Read next: `page.py`.
"""
