"""SIGKILL while training: what is left can be read, is of one moment, and goes on."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_few_kills():
    """`python -m benchmarks.bench_kills` does a hundred of them."""
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_kills", "2"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "kills: 2" in ran.stdout
    assert "no file was unreadable or mixed" in ran.stdout
