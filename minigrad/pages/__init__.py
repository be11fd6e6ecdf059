"""What every HTML page shares: the frame and its security policy, and the plots.

Read `page.py` (the frame), then `plots.py` (figures).
"""
