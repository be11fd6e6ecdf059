"""From the graph to a picture: boxes, lines, tiles, and the words in them.

Read `picture.py` (what a picture consists of), `read_graph.py` (how it is made),
`scope_levels.py` and `placement.py` (rows and columns), then the labels.

Read next: `picture.py`.
"""
