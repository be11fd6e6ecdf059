"""Ctrl-C works in these tests, however the tests were started."""

import signal

import pytest


@pytest.fixture(autouse=True)
def heard():
    """A shell starts what runs in the background with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
