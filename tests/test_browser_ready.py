"""What runs in a browser's Python: no numba, threads, processes or file locks there.

Pyodide has none of these. Here they are blocked in a Python of its own, and what a
lesson needs must still work. Nobody has run it in a browser yet: docs/browser.rst.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCKED = """
import os, socket, subprocess, sys, threading

for name in ("numba", "llvmlite", "fcntl", "msvcrt", "termios", "multiprocessing",
             "pygraphviz", "ctypes.util"):
    sys.modules[name] = None

def refuse(*_, **__):
    raise OSError("emscripten does not support processes")

def no_thread(*_, **__):
    raise RuntimeError("can't start new thread")

threading.Thread.start = no_thread
subprocess.Popen = refuse
for name in ("fork", "posix_spawn", "posix_spawnp", "execv", "lockf"):
    if hasattr(os, name):
        setattr(os, name, refuse)
socket.socket = refuse
"""
PROGRAM = """
import numpy as np
import minigrad as mg
from minigrad.models import GRU, LSTM, RNN, unroll_traced

rng = np.random.default_rng(0)
x = mg.tensor(rng.standard_normal((4, 1, 2)), requires_grad=True, name="x")
for kind in (RNN, LSTM, GRU):
    net = kind(2, 3, rng=0)
    loss = (net(x)[0] ** 2).mean()
    loss.backward()
    led = mg.ledger(loss, net)
    W_h = net.cells[0].W_h
    assert np.allclose(led.items(W_h).sum(axis=(0, 1)), W_h.grad.data)
    trace = net.trace(x)
    assert mg.jacobian_products(trace).norms().shape == (5,)
    assert mg.diagnose(loss, net).readings
    mg.optim.Adam(net.parameters()).step()
mg.gradcheck(lambda a: mg.tanh(a * 2).sum(), [x])
loop = unroll_traced(lambda x, h: mg.tanh(x + 0.5 * h), mg.ones((3, 1, 2)),
                     mg.zeros((1, 2)))
assert isinstance(loop.states[-1], mg.Tensor)

drawing = mg.draw(loss, level="gate", gradients=True)
assert drawing.dot.startswith("digraph")
drawing.save("picture.dot")
steps = mg.steps(loss)
steps.save("player.html")
steps.save("steps.json")
assert mg.Steps.from_json(steps.to_json()).events
assert str(mg.explain(W_h, (0, 0), loss))

def fn(w=0.5):
    h = mg.tensor(1.0, requires_grad=True)
    end = mg.tanh(h * w)
    return {"h": end, "slope": mg.grad(end, [h])[0]}

page = mg.explore(fn, w=[0.0, 0.5, 1.0])
page.save("sliders.html")
assert page.at(w=0.5)["h"] == np.tanh(0.5)
import sys
assert sys.modules["numba"] is None
print("all of it works")
"""


def run(program, folder):
    """Run a program in a Python of its own, in which those things are blocked."""
    command = [sys.executable, "-c", BLOCKED + program]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_it_works_without_numba_threads_processes_and_locks(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = run(PROGRAM, tmp_path)
    assert done.stdout == "all of it works\n", done.stderr[-2000:]
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"picture.dot", "player.html", "steps.json", "sliders.html"}


@pytest.mark.parametrize(
    "forbidden",
    [
        "import threading; threading.Thread(target=print).start()",
        "import subprocess; subprocess.run(['true'])",
        "import numba",
        "import fcntl",
    ],
)
def test_what_is_blocked_is_blocked(forbidden, tmp_path):
    assert run(forbidden, tmp_path).returncode != 0


def test_the_wheel_is_pure_python(tmp_path):
    """`py3-none-any`, and nothing compiled inside: a browser can install it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run([*command, "-d", str(tmp_path)], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [n for n in names if n.endswith((".so", ".pyd", ".dll", ".dylib"))]
