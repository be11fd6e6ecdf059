"""A small series of weather, for tasks that are trained in a second."""

import datetime

import numpy as np

HEADER = "date,precipitation,temp_max,temp_min,wind"


def rows_of(count=120, seed=0):
    """Lines of a table: days in a row, with a yearly swing and noise."""
    rng = np.random.default_rng(seed)
    first = datetime.date(2020, 1, 1)
    rows = [HEADER]
    for k in range(count):
        high = 10 + 8 * np.sin(k / 20) + rng.normal()
        day = first + datetime.timedelta(days=k)
        rows.append(f"{day},{abs(rng.normal()):.1f},{high:.1f},{high - 6:.1f},3.0")
    return rows
