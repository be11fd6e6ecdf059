"""The Pythons that pyproject.toml declares: run where they are, checked where not.

    .venv/bin/python .ci/pythons.py [--own]      in an environment with the extra `test`

A wheel is built once. For each declared Python that is on this machine (on the PATH, or
made by pyenv) it is installed into an environment of its own and used in an empty
folder, outside the checkout; for all but our own, some of the tests run on it, too. For
the others, pip must find a wheel of every dependency. Syntax and the standard library
are checked against the oldest Python, types against each. Ends with one line that says
which was run and which was only checked; any failure ends it at once.

With --own, in half a minute: the oldest Python's syntax, and the wheel on our own
Python, beside the packages that the environment running this has.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUR_OWN = "{}.{}".format(*sys.version_info)
# What a new Python is likely to break: cells, kernels, drawing, lazy imports, run.py.
TESTS = ["tests/models", "tests/test_kernels.py", "tests/test_public_names.py",
         "tests/test_run.py", "tests/drawing/test_engines.py"]  # fmt: skip
COMMANDS = (["doctor"], ["tour"], ["tutorial", "1"], ["draw", "lstm", "-o", "x.svg"])


def say(text: str) -> None:
    print(f"-- {text}  ({time.monotonic() - STARTED:.0f} s)", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> None:
    """Run it without a word; if it fails, show what it said and stop."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode:
        words = " ".join(map(str, command))
        sys.exit(f"{done.stdout}\n{words}: exit code {done.returncode}")


def declared() -> list[str]:
    """The versions of the classifiers, oldest first: ["3.11", ...]."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    start = "Programming Language :: Python :: 3."
    names = [c for c in table["project"]["classifiers"] if c.startswith(start)]
    return sorted((n.split(" ")[-1] for n in names), key=lambda v: int(v[2:]))


def find(version: str) -> str | None:
    """The program of this version that can make environments; None if there is none."""
    if version == OUR_OWN:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    made = pyenv.glob(f"versions/{version}.*/bin/python{version}")
    for program in [shutil.which(f"python{version}"), *map(str, sorted(made))]:
        if program:
            command = [program, "-c", "import ensurepip, venv"]
            if subprocess.run(command, capture_output=True).returncode == 0:
                return program
    return None


def check_syntax(versions: list[str]) -> None:
    """Syntax and library against the oldest."""
    oldest = f"--target={versions[0]}-"
    say(f"vermin: nothing newer than Python {versions[0]}")
    vermin = Path(sys.executable).with_name("vermin")  # it has no `python -m vermin`
    run(vermin, oldest, "--violations", "--no-tips", ".")


def check_types(versions: list[str]) -> None:
    """Types against each."""
    for version in versions:
        # NumPy's stubs use the syntax of the Python that it was installed for, and
        # there is no reading them as an older one.
        if int(version[2:]) < sys.version_info.minor:
            say(f"mypy: not for Python {version}, which is older than this one")
            continue
        say(f"mypy for Python {version}")
        run(sys.executable, "-m", "mypy", "--python-version", version)


def check_wheels(version: str, wheel: Path, scratch: Path) -> None:
    """pip finds a wheel of everything that minigrad needs there."""
    say(f"Python {version} is not here: wheels of all that is needed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run",
        "--ignore-installed", "--only-binary", ":all:", "--implementation", "cp",
        "--python-version", version, "--target", scratch / "nothing",
        f"minigrad[pictures,test] @ {wheel.as_uri()}")  # fmt: skip


def install(python: Path, version: str, wheel: Path) -> None:
    """The wheel and all that it needs."""
    extras = "pictures" if version == OUR_OWN else "pictures,test"
    wanted = f"minigrad[{extras}] @ {wheel.as_uri()}"
    run(python, "-m", "pip", "install", "--quiet", wanted)


def install_alone(python: Path, wheel: Path) -> None:
    """The wheel alone: all that it needs must be where the Python running this is."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run(
        [python, "-c", ask], capture_output=True, text=True, check=True
    )
    others = Path(done.stdout.strip()) / "others.pth"
    others.write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    wanted = f"minigrad[pictures] @ {wheel.as_uri()}"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", wanted)


def use(
    version: str, program: str, wheel: Path, scratch: Path, alone: bool = False
) -> None:
    """Install the wheel for that Python, use it elsewhere, run some of the tests."""
    folder, elsewhere = scratch / f"venv-{version}", scratch / f"empty-{version}"
    elsewhere.mkdir()
    say(f"Python {version}: the wheel in an environment of its own")
    run(program, "-m", "venv", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    if alone:
        install_alone(python, wheel)
    else:
        install(python, version, wheel)
    inside = "import sys, minigrad; assert minigrad.__file__.startswith(sys.prefix)"
    # PYTHONSAFEPATH: neither the current folder nor a script's comes before it.
    run(python, "-c", inside, cwd=elsewhere, PYTHONSAFEPATH="1")
    for command in COMMANDS:
        say(f"Python {version}: minigrad {' '.join(command)}")
        run(programs / "minigrad", *command, cwd=elsewhere)
    for made in ("x.svg", "minigrad-tour/index.html"):
        if not (elsewhere / made).stat().st_size:
            sys.exit(f"{made} is empty")
    if version == OUR_OWN:
        return
    say(f"Python {version}: {' '.join(TESTS)}")
    run(python, "-c", inside, PYTHONSAFEPATH="1")
    run(python, "-m", "pytest", "-q", "-m", "not browser", *TESTS, PYTHONSAFEPATH="1",
        MINIGRAD_CI="bare")  # fmt: skip


def main(own: bool) -> None:
    check_syntax(declared())
    versions = [OUR_OWN] if own else declared()
    if not own:
        check_types(versions)
    ran = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch)
        (wheel,) = scratch.glob("*.whl")
        for version in versions:
            program = find(version)
            if program:
                use(version, program, wheel, scratch, alone=own)
                ran.append(version)
            else:
                check_wheels(version, wheel, scratch)
    checked = [version for version in versions if version not in ran]
    say(f"run: Python {', '.join(ran)}; only checked: {', '.join(checked) or 'none'}")


STARTED = time.monotonic()
if __name__ == "__main__":
    main(own="--own" in sys.argv[1:])
