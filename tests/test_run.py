"""run.py: what it does on a new machine, on the second run, and when things fail.

Most tests replace its two ways to start a program, `capture` and `call`, by a
recorder: they check decisions. The slow ones make real environments.
"""

import ast
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "run.py"
DECLARED = """
[project]
name = "minigrad"
requires-python = ">=3.11"
dependencies = ["numpy"]
[project.optional-dependencies]
pictures = ["pygraphviz>=2.0"]
test = ["pytest"]
docs = ["sphinx"]
[tool.ruff]
line-length = 88
"""


def load():
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Machine:
    """A work tree and a stand-in for the programs that run.py starts in it."""

    def __init__(self, root, monkeypatch):
        self.root = root
        self.run = load()
        self.environment = self.run.Environment(str(root))
        self.commands = []  # everything that was started, in order
        self.fails = {}  # word in a command -> (exit code, output)
        self.version = sys.version_info[:3]
        self.has_pip = True
        monkeypatch.setattr(self.run, "capture", self.capture)
        monkeypatch.setattr(self.run, "call", self.call)
        monkeypatch.setattr(self.run, "hand_over", self.call)
        monkeypatch.chdir(root)

    def declare(self, text):
        (self.root / "pyproject.toml").write_text(text, encoding="utf-8")

    def capture(self, command, cwd, env):
        if "-c" in command:  # the probe: does the environment's Python run?
            return 0, json.dumps([self.version, str(self.root / ".venv"), self.has_pip])
        self.commands.append(command)
        for word, (code, output) in self.fails.items():
            if word in command:
                return code, output
        if "venv" in command:
            self.add_program("python")
        if "--editable" in command:
            self.add_program("minigrad")
        return 0, ""

    def call(self, command, cwd, env):
        self.commands.append(command)
        return self.fails.get(command[2] if len(command) > 2 else "", (0, ""))[0]

    def add_program(self, name):
        program = Path(self.environment.program(name))
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch()

    def __call__(self, *arguments):
        """Run it; return the exit code and what was started this time."""
        del self.commands[:]
        return self.run.main(list(arguments), str(self.root)), list(self.commands)

    def stamp(self, **changes):
        file = Path(self.environment.stamp)
        stamp = json.loads(file.read_text(encoding="utf-8"))
        if changes:
            file.write_text(json.dumps(stamp | changes), encoding="utf-8")
        return stamp | changes


@pytest.fixture
def machine(tmp_path, monkeypatch):
    root = tmp_path / "a folder"
    root.mkdir()
    machine = Machine(root, monkeypatch)
    machine.declare(DECLARED)
    return machine


def installs(commands):
    """What pip was asked for, command by command."""
    return [command[-1] for command in commands if "install" in command]


def made(commands):
    return any("venv" in command for command in commands)


# ------------------------------------------------------------------ old Pythons


@pytest.mark.smoke
def test_parses_on_old_pythons():
    source = SCRIPT.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))  # before f-strings and all
    for node in ast.walk(tree):  # what 2.7 cannot parse either
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.Nonlocal)
        if isinstance(node, ast.FunctionDef):
            assert not node.args.kwonlyargs and node.returns is None
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.Call):
            starred = [isinstance(a, ast.Starred) for a in node.args]
            assert True not in starred[:-1]
    assert source.isascii()  # 2.7 wants a coding line otherwise


@pytest.mark.smoke
@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_old_python_gets_one_line(machine, monkeypatch, capsys, version):
    check = machine.run.check_python
    monkeypatch.setattr(machine.run, "check_python", lambda: check(version))
    code, commands = machine("tour")
    assert (code, commands) == (1, [])
    text = ".".join(map(str, version))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"needs Python 3.11 or newer, and this is Python {text}" in error


def test_oldest_python_is_the_declared_one(machine):
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    oldest = "{}.{}".format(*machine.run.OLDEST)
    assert declared["project"]["requires-python"] == f">={oldest}"


def test_extras_it_asks_for_exist(machine):
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    extras = declared["project"]["optional-dependencies"]
    for asked in (["pictures"], *machine.run.EXTRAS.values()):
        assert set(asked) <= set(extras)


# ------------------------------------------------------------------ the commands


@pytest.mark.smoke
def test_unknown_command(machine, capsys):
    code, commands = machine("tuor")
    assert (code, commands) == (2, [])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "unknown command 'tuor': one of tour, test," in error


def test_without_a_command_it_says_what_there_is(machine, capsys):
    assert machine() == (2, [])
    assert "run.py tour" in capsys.readouterr().out
    assert machine("--help")[0] == 0


def test_tour_passes_its_sentence_on(machine):
    code, commands = machine("tour", "I loved it, but")
    assert code == 0
    program = machine.environment.program("minigrad")
    assert commands[-1] == [program, "tour", "I loved it, but"]


def test_minigrad_passes_everything_on(machine):
    _, commands = machine("minigrad", "draw", "--format", "svg", "")
    assert commands[-1][1:] == ["draw", "--format", "svg", ""]


def test_test_runs_every_check_even_if_the_first_fails(machine, capsys):
    machine.fails = {"ruff": (1, "")}
    code, commands = machine("test", "-k", "a or b")
    python = machine.environment.python
    assert commands[-5:] == [
        [python, "-m", "ruff", "check", "."],
        [python, "-m", "ruff", "format", "--check", "."],
        [python, "-m", "mypy"],
        [python, "-c", machine.run.LINT_IMPORTS],
        [python, "-m", "pytest", "-k", "a or b"],
    ]
    assert code == 1
    assert "failed: ruff check, ruff format --check\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [([], True), (["--durations=9"], True), (["-x"], False), (["--pdb"], False),
     (["tests/test_run.py"], False)],
)  # fmt: skip
def test_the_whole_suite_runs_on_all_cores(machine, arguments, whole):
    _, commands = machine("test", *arguments)
    assert ("--dist=loadfile" in commands[-1]) == whole
    assert commands[-1][len(commands[-1]) - len(arguments) :] == arguments


@pytest.mark.parametrize(("failing", "code"), [("mypy", 1), ("pytest", 5)])
def test_any_failing_check_fails_the_whole(machine, failing, code):
    machine.fails = {failing: (code, "")}
    assert machine("test")[0] == code


def test_nothing_is_said_after_pytest_when_all_is_well(machine, capsys):
    assert machine("test")[0] == 0
    assert capsys.readouterr().err.endswith("run.py: pytest\n")


@pytest.mark.parametrize("command", ["site", "bench"])
def test_what_is_not_there_yet_is_said_before_installing(machine, capsys, command):
    assert machine(command) == (1, [])
    assert capsys.readouterr().err.startswith("run.py: there ")


def test_site_and_bench(machine):
    for file in ("docs/conf.py", "benchmarks/__main__.py"):
        (machine.root / file).parent.mkdir()
        (machine.root / file).touch()
    _, commands = machine("site")
    assert installs(commands)[0] == ".[docs]"
    assert commands[-1][1:3] == ["-m", "sphinx"]
    _, commands = machine("bench", "eager")
    assert commands[-1][1:] == ["-m", "benchmarks", "eager"]


def test_install_only_installs(machine):
    code, commands = machine("install", "test", "docs")
    assert code == 0
    assert installs(commands) == [".[docs,test]", "pygraphviz>=2.0"]
    assert machine("install", "nosuch")[0] == 2


# -------------------------------------------------------------------- the stamp


@pytest.mark.smoke
def test_first_run_installs_and_the_second_does_not(machine):
    _, commands = machine("tour")
    assert made(commands)
    assert installs(commands) == [".", "pygraphviz>=2.0"]
    _, commands = machine("tour")
    assert len(commands) == 1  # the tour itself


def test_extras_add_up(machine):
    machine("tour")
    _, commands = machine("test")
    assert installs(commands)[0] == ".[test]"
    assert installs(machine("tour")[1]) == []
    machine("install", "docs")
    assert machine.stamp()["extras"] == ["docs", "test"]


def test_a_changed_declaration_installs_again(machine):
    machine("test")
    machine.declare(DECLARED.replace('["numpy"]', '["numpy", "rich"]'))
    _, commands = machine("tour")
    assert not made(commands)
    assert installs(commands)[0] == "."


def test_a_changed_linter_setting_does_not(machine):
    machine("test")
    machine.declare(DECLARED.replace("88", "100"))
    assert installs(machine("test")[1]) == []


def test_failing_pip_leaves_no_stamp(machine, capsys):
    machine.fails = {"--editable": (1, "WARNING: retrying\nERROR: no such host\nbye")}
    code, commands = machine("tour")
    assert code == 1
    assert len(installs(commands)) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "pip could not install" in error and "ERROR: no such host" in error
    assert not os.path.exists(machine.environment.stamp)
    log = Path(machine.environment.log).read_text(encoding="utf-8")
    assert log.startswith("WARNING: retrying")
    machine.fails = {}
    _, commands = machine("tour")
    assert not made(commands)  # the environment itself is whole
    assert len(installs(commands)) == 2


def test_goes_on_without_pygraphviz(machine, capsys):
    machine.fails = {"--only-binary": (1, "ERROR: no matching distribution")}
    code, _ = machine("tour")
    assert code == 0
    assert capsys.readouterr().err.count("no ready-made pygraphviz") == 1
    assert installs(machine("tour")[1]) == []  # and does not try every time


def test_pip_is_kept_inside_the_environment(machine, monkeypatch):
    seen = []
    capture = machine.run.capture
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setattr(
        machine.run, "capture", lambda *a: seen.append(a[2]) or capture(*a)
    )
    machine("tour")
    assert not any("PYTHONPATH" in env or "PYTHONHOME" in env for env in seen)
    asked = [env for env in seen if env.get("PIP_USER") == "0"]
    assert len(asked) == 2
    assert not any("PIP_TARGET" in env or "PIP_PREFIX" in env for env in asked)


# ------------------------------------------------------- environments that do not work


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda m: m.stamp(root="/elsewhere"), "its folder was moved or copied"),
        (lambda m: m.stamp(unfinished=True), "making it was interrupted"),
        (lambda m: m.stamp(python="3.9"), "its Python changed to"),
        (lambda m: os.remove(m.environment.python), "its Python does not run"),
        (lambda m: setattr(m, "version", (3, 10, 1)), "its Python is 3.10"),
        (lambda m: setattr(m, "has_pip", False), "it has no pip"),
    ],
)
def test_broken_environment_is_made_anew(machine, capsys, spoil, reason):
    machine("test")
    spoil(machine)
    capsys.readouterr()
    _, commands = machine("tour")
    assert made(commands)
    assert installs(commands)[0] == "."
    assert f"run.py: making .venv anew: {reason}" in capsys.readouterr().err


def test_unreadable_stamp_counts_as_interrupted(machine, capsys):
    machine("tour")
    Path(machine.environment.stamp).write_text("{", encoding="utf-8")
    assert made(machine("tour")[1])
    assert "interrupted" in capsys.readouterr().err


def test_killed_install_is_noticed(machine, monkeypatch):
    capture = machine.run.capture

    def killed(command, cwd, env):
        if "--editable" in command:
            raise KeyboardInterrupt
        return capture(command, cwd, env)

    monkeypatch.setattr(machine.run, "capture", killed)
    assert machine("tour")[0] == 130
    assert machine.stamp() == {"unfinished": True}
    monkeypatch.setattr(machine.run, "capture", capture)
    assert made(machine("tour")[1])


def test_environment_of_another_python_is_kept(machine, capsys):
    """Somebody's working .venv, made by hand or by another tool, is not thrown away."""
    machine.version = (3, 99, 0)
    machine.add_program("python")
    _, commands = machine("tour")
    assert not made(commands)
    assert installs(commands)[0] == "."
    assert (
        "using the .venv that is there, with Python 3.99.0" in capsys.readouterr().err
    )


def test_a_folder_that_is_no_environment_is_left_alone(machine, capsys):
    treasure = machine.root / ".venv" / "thesis.txt"
    treasure.parent.mkdir()
    treasure.touch()
    assert machine("tour")[0] == 1
    assert treasure.exists()
    assert "is no virtual environment" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["no module", "ensurepip fails"])
def test_machine_that_cannot_make_environments(machine, monkeypatch, capsys, how):
    if how == "no module":
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name: None if name == "ensurepip" else find(name),
        )
    else:
        output = "Error: Command '[.venv/bin/python, -m, ensurepip]' returned 1."
        machine.fails = {"venv": (1, output)}
    code, _ = machine("tour")
    assert code == 1
    error = capsys.readouterr().err.splitlines()
    package = "python{}.{}-venv".format(*sys.version_info)
    assert len(error) == 2  # what it was doing, and what to do about it
    assert "install its venv and ensurepip" in error[1]
    assert f"apt install {package}" in error[1]
    assert not (machine.root / ".venv").exists()


def test_broken_pyproject_is_one_line(machine, capsys):
    machine.declare("[project")
    assert machine("tour")[0] == 1
    assert "Traceback" not in capsys.readouterr().err


# ------------------------------------------------------------------- for real


def bootstrap(root, *arguments, **variables):
    """Run the real thing as a user would, with no package index within reach."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **variables}
    return subprocess.run(
        [sys.executable, str(root / "run.py"), *arguments],
        capture_output=True,
        encoding="utf-8",
        env=env,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "the work tree"
    root.mkdir()
    (root / "run.py").write_bytes(SCRIPT.read_bytes())
    (root / "pyproject.toml").write_text(DECLARED, encoding="utf-8")
    return root


@pytest.mark.slow
def test_no_network_is_one_clear_error_and_then_offline_runs(tree):
    """A real environment, a real pip that finds nothing, then one that is not asked."""
    first = bootstrap(tree, "tour")
    assert first.returncode == 1
    lines = first.stderr.splitlines()
    assert len(lines) == 3
    assert "pip could not install" in lines[2] and "ERROR" in lines[2]
    run = load()
    environment = run.Environment(str(tree))
    assert not os.path.exists(environment.stamp)
    # As if it had succeeded: from here on nothing may ask pip.
    text = json.dumps(run.declaration(str(tree)), sort_keys=True)
    environment.write_stamp(
        {
            "declaration": run.hashlib.sha256(text.encode()).hexdigest(),
            "extras": [],
            "python": "{}.{}".format(*sys.version_info),
            "root": os.path.realpath(tree),
        }
    )
    Path(environment.program("minigrad")).touch()
    second = bootstrap(tree, "python", "-c", "import sys; print(sys.argv)", "a b")
    assert second.returncode == 0
    assert second.stdout.strip() == "['-c', 'a b']"
    assert second.stderr == ""
    # The folder moves: the environment's programs point to where it was.
    moved = run.Environment(str(tree.rename(tree.with_name("moved"))))
    assert moved.ailment(moved.read_stamp()) == "its folder was moved or copied"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="only where signals can be sent")
def test_interrupting_stops_the_child_and_says_so(tmp_path):
    """The child ends in its own time, then the parent; neither leaves a traceback."""
    child = (
        "import time\ntry:\n print('up', flush=True)\n time.sleep(60)\n"
        "except KeyboardInterrupt:\n time.sleep(0.5)\n print('summary', flush=True)"
    )
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import os, run;"
        f"run.check_python = lambda: run.call([sys.executable, '-c', {child!r}], '.',"
        "dict(os.environ)); sys.exit(run.main(['tour']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=tmp_path,
        start_new_session=True,  # a group of their own, as a terminal's job has
    )
    assert process.stdout.readline() == "up\n"
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    output, error = process.communicate(timeout=120)
    assert output == "summary\n"
    assert re.fullmatch(r"run\.py: stopped\n", error)
    assert process.returncode == 130
