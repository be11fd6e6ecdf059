"""From a picture with places to a file.

Read `dot_text.py` (DOT), `graphviz_engines.py` (running Graphviz), `picture_page.py`
(one HTML file), `slides.py` (numbered pictures).

Read next: `dot_text.py`.
"""
