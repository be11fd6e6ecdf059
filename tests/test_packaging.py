"""The wheel holds every file that the packages need; versions agree."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run([*command, "-d", str(folder)], cwd=REPOSITORY, check=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("minigrad", "minigrad"),
        ("models", "minigrad/models"),
        ("tutorials", "minigrad/_tutorials"),
    ],
)
def test_nothing_is_left_behind(wheel, folder, inside):
    paths = (REPOSITORY / folder).rglob("*")
    ours = [p for p in paths if p.is_file() and "__pycache__" not in p.parts]
    files = {p.relative_to(REPOSITORY / folder).as_posix() for p in ours}
    packed = {n.removeprefix(f"{inside}/") for n in wheel.namelist()}
    assert files
    assert files - packed == set()


def test_nothing_else_is_inside(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"minigrad"}


def test_it_brings_the_command(wheel):
    (entries,) = [n for n in wheel.namelist() if n.endswith("entry_points.txt")]
    assert "minigrad = minigrad.commands.main:main" in wheel.read(entries).decode()


def test_hooks_use_the_declared_linter():
    """`ruff==0.17.*` in pyproject.toml, `rev: v0.17.5` among the commit hooks."""
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    tests = declared["project"]["optional-dependencies"]["test"]
    (ruff,) = [name for name in tests if name.startswith("ruff==")]
    hooks = (REPOSITORY / ".pre-commit-config.yaml").read_text("utf-8")
    series = ruff.removeprefix("ruff==").removesuffix("*")
    assert re.findall(r"rev: v(.*)\.\d+$", hooks, re.M) == [series.rstrip(".")]


def test_the_package_runs_as_the_command():
    command = [sys.executable, "-m", "minigrad", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    words = {line.split(" ")[0] for line in done.stdout.splitlines()}
    assert {"Python", "minigrad", "numpy", "pictures", "kernels"} <= words
