"""A small series of weather, for tasks that are trained in a second."""

import signal

import pytest
from tasks_rows import rows_of


@pytest.fixture
def series(tmp_path):
    """The path of a series of 120 days."""
    path = tmp_path / "days.csv"
    path.write_text("\n".join(rows_of()) + "\n")
    return path


@pytest.fixture(autouse=True)
def heard():
    """Ctrl-C is heard: a shell starts what runs in the background with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
