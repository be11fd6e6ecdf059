"""Fits `d.chance` on one half of the table of outcomes, and judges it on the other.

The measurements are made anew each time, from the first batch's graph alone: the table
holds who learned, and nothing that the diagnosis says.

Read next: `report.py`.
"""
