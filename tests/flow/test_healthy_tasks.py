"""The seven tasks on real data, with smaller networks: nothing above a note."""

import pytest

import minigrad as mg
from minigrad.tasks import TASKS
from minigrad.tasks.session import Session

BATCHES = 7


class Enough(Exception):
    """So many batches are enough."""


class Stop:
    """Ends a training after some batches."""

    def on_batch(self, report):
        if report.step >= BATCHES:
            raise Enough


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_healthy(name, tmp_path):
    session = Session(name, tmp_path / name, hidden=24)
    session.prepare()
    monitor = mg.Monitor(every=3, tell=len)
    with pytest.raises(Enough):
        session.trainer([monitor, Stop()]).fit()
    assert monitor.steps == BATCHES and monitor.seen
    assert [f"{f.code}: {f}" for f in monitor.findings if f.severity != "note"] == []
