"""Set minigrad up and run it; nothing but Python 3.11 or newer is needed beforehand.

python3 run.py tour ["a sentence"]    the guided tour: train, read, draw
python3 run.py test [PYTEST ARGS]     linters, type checker and every test
python3 run.py site                   the documentation as pages
python3 run.py bench [ARGS]           the benchmarks
python3 run.py minigrad ARGS          any other command of minigrad
python3 run.py python ARGS            the Python of the environment
python3 run.py install [EXTRA ...]    only make the environment

The first run makes a virtual environment in .venv and installs there what
pyproject.toml declares. Later runs find it ready and need no network; they
install again only when the declaration changed.

This file uses the standard library alone, and only syntax that Python 2.7 can
parse, so that an old Python gets one clear line instead of a SyntaxError.
"""

from __future__ import print_function

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
OLDEST = (3, 11)  # pyproject.toml says the same in requires-python
WINDOWS = os.name == "nt"
# What the commands need beyond the run-time dependencies.
EXTRAS = {"test": ["test"], "site": ["docs"]}
COMMANDS = ("tour", "test", "site", "bench", "minigrad", "python", "install")
# import-linter has no `-m` form.
LINT_IMPORTS = (
    "from importlinter.cli import lint_imports_command;"
    "lint_imports_command(['--no-cache', '--no-logo'])"
)
CHECKS = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format --check", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("lint-imports", ["-c", LINT_IMPORTS]),
)
PROBE = (
    "import json, sys; from importlib.util import find_spec;"
    "print(json.dumps([sys.version_info[:3], sys.prefix, bool(find_spec('pip'))]))"
)


class Trouble(Exception):
    """What went wrong, in the one line that the user sees."""

    def __init__(self, text, code=1):
        Exception.__init__(self, text)
        self.code = code


def say(text):
    print("run.py: " + text, file=sys.stderr)
    sys.stderr.flush()


# ---------------------------------------------------------------- child processes


def capture(command, cwd, env):
    """Run without a word; return the exit code and all that it printed."""
    with open(os.devnull, "rb") as nothing:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            output = child.communicate()[0]
        except BaseException:  # Ctrl-C: leave no installer running behind us
            child.terminate()
            child.wait()
            raise
    return child.returncode, output.decode("utf-8", "replace")


def call(command, cwd, env):
    """Run in the foreground and return the exit code.

    Ctrl-C reaches the child by itself; this process waits for it to finish, so
    that pytest can still print its summary, and only then stops too.
    """
    interrupts = []
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(1))
    try:
        code = subprocess.Popen(command, cwd=cwd, env=env).wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts:
        raise KeyboardInterrupt
    return code if code >= 0 else 128 - code  # ended by a signal: as shells say it


def hand_over(command, cwd, env):
    """Become the command; where a process cannot be replaced, wait for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    if WINDOWS:
        return call(command, cwd, env)
    os.chdir(cwd)
    return os.execve(command[0], command, env)


# ----------------------------------------------------------------- the environment


def check_python(version=None):
    version = tuple(version or sys.version_info[:3])
    if version < OLDEST:
        raise Trouble(
            "minigrad needs Python %d.%d or newer, and this is Python %s (%s): "
            "run it with a newer one, as in: python3.13 run.py tour"
            % (OLDEST + (".".join(map(str, version)), sys.executable))
        )


def declaration(root):
    """The tables of pyproject.toml that say what gets installed, and how."""
    import tomllib

    with open(os.path.join(root, "pyproject.toml"), "rb") as file:
        tables = tomllib.load(file)
    return {
        "build-system": tables.get("build-system"),
        "project": tables.get("project"),
        "hatch": tables.get("tool", {}).get("hatch"),
    }


class Environment(object):
    """The virtual environment of one work tree, with a stamp of what is in it."""

    def __init__(self, root):
        self.root = root
        self.folder = os.path.join(root, ".venv")
        self.programs = os.path.join(self.folder, "Scripts" if WINDOWS else "bin")
        self.python = self.program("python")
        self.stamp = os.path.join(self.folder, "minigrad-stamp.json")
        self.log = os.path.join(self.folder, "minigrad-install.log")

    def program(self, name):
        return os.path.join(self.programs, name + ".exe" if WINDOWS else name)

    def variables(self):
        """The user's environment as activating .venv would leave it.

        PYTHONPATH and PYTHONHOME go: they would put other installations' packages
        before those installed here.
        """
        env = dict(os.environ)
        for name in ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__"):
            env.pop(name, None)
        env["VIRTUAL_ENV"] = self.folder
        env["PATH"] = self.programs + os.pathsep + env.get("PATH", os.defpath)
        return env

    def pip(self, arguments):
        env = self.variables()
        for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON"):
            env.pop(name, None)
        env["PIP_USER"] = "0"  # against "user = true" in someone's pip.conf
        options = ["--quiet", "--no-input", "--disable-pip-version-check"]
        command = [self.python, "-m", "pip", "install"] + options + arguments
        return capture(command, self.root, env)

    # The stamp. No stamp: an environment that this file did not make, or one in
    # which pip failed tidily. "unfinished": we were killed half-way.

    def read_stamp(self):
        try:
            with open(self.stamp, "rb") as file:
                stamp = json.loads(file.read().decode("utf-8"))
            return stamp if isinstance(stamp, dict) else {"unfinished": True}
        except ValueError:
            return {"unfinished": True}
        except (IOError, OSError):
            return {}

    def write_stamp(self, stamp):
        with open(self.stamp + ".new", "wb") as file:
            file.write(json.dumps(stamp, indent=1, sort_keys=True).encode("utf-8"))
        os.replace(self.stamp + ".new", self.stamp)

    def remove_stamp(self):
        if os.path.exists(self.stamp):
            os.remove(self.stamp)

    def probe(self):
        """(version, has pip) of the environment's Python; None if it is not one."""
        if not os.path.exists(self.python):
            return None
        command = [self.python, "-I", "-c", PROBE]
        try:
            code, output = capture(command, self.root, self.variables())
            version, prefix, has_pip = json.loads(output.splitlines()[-1])
        except (IOError, OSError, ValueError, IndexError):
            return None
        if code or os.path.realpath(prefix) != os.path.realpath(self.folder):
            return None
        return tuple(version), has_pip

    def ailment(self, stamp):
        """Why the environment cannot be used as it stands; None if it can."""
        if stamp.get("unfinished"):
            return "making it was interrupted"
        if stamp and stamp.get("root") != os.path.realpath(self.root):
            return "its folder was moved or copied"
        found = self.probe()
        if found is None:
            return "its Python does not run"
        version, has_pip = found
        if version < OLDEST:
            return "its Python is %d.%d" % version[:2]
        if stamp and stamp.get("python") != "%d.%d" % version[:2]:
            return "its Python changed to %d.%d" % version[:2]
        if not has_pip:
            return "it has no pip"
        if version[:2] != sys.version_info[:2]:
            say(
                "using the .venv that is there, with Python %d.%d.%d "
                "(remove .venv to change that)" % version
            )
        return None

    def prepare(self, extras):
        """Make the environment hold what is declared; do nothing if it does."""
        stamp = self.read_stamp()
        if not os.path.lexists(self.folder):
            say("making a virtual environment in .venv")
            self.make()
            stamp = {}
        else:
            ailment = self.ailment(stamp)
            if ailment:
                say("making .venv anew: " + ailment)
                self.remove()
                self.make()
                stamp = {}
        declared = declaration(self.root)
        unknown = set(extras) - set(declared["project"]["optional-dependencies"])
        if unknown:
            raise Trouble("no such extra: " + ", ".join(sorted(unknown)), 2)
        text = json.dumps(declared, sort_keys=True)
        wanted = {
            "declaration": hashlib.sha256(text.encode("utf-8")).hexdigest(),
            "root": os.path.realpath(self.root),
        }
        same = all(stamp.get(name) == wanted[name] for name in wanted)
        have = stamp.get("extras", []) if same else []
        if same and set(extras) <= set(have):
            if os.path.exists(self.program("minigrad")):
                return
        self.install(sorted(set(extras) | set(have)), wanted)

    def remove(self):
        if os.path.islink(self.folder):
            os.remove(self.folder)
            return
        made_by_venv = ("pyvenv.cfg", "minigrad-stamp.json", "bin", "Scripts")
        inside = os.listdir(self.folder) if os.path.isdir(self.folder) else ["?"]
        if inside and not set(inside) & set(made_by_venv):
            raise Trouble("%s is no virtual environment: move it away" % self.folder)
        shutil.rmtree(self.folder)

    def make(self):
        from importlib.util import find_spec

        if find_spec("venv") is None or find_spec("ensurepip") is None:
            raise Trouble(self.advice())
        os.mkdir(self.folder)
        self.write_stamp({"unfinished": True})
        # When .venv is active, sys.executable lies inside what is being made anew.
        python = getattr(sys, "_base_executable", None) or sys.executable
        command = [python, "-m", "venv", self.folder]
        code, output = capture(command, self.root, self.variables())
        if code:
            shutil.rmtree(self.folder, ignore_errors=True)
            # venv reports a failing ensurepip with this advice of Debian's, or
            # with the bare command line of the child that failed.
            if "ensurepip" in output:
                raise Trouble(self.advice())
            raise Trouble("no virtual environment could be made: " + last(output))

    @staticmethod
    def advice():
        package = "python%d.%d-venv" % sys.version_info[:2]
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        return (
            "this Python cannot make a virtual environment: install its venv and "
            "ensurepip modules first (Debian, Ubuntu: %sapt install %s)"
            % ("" if root else "sudo ", package)
        )

    def install(self, extras, wanted):
        self.write_stamp({"unfinished": True})
        what = ".[%s]" % ",".join(extras) if extras else "."
        say("installing minigrad and what it needs (a few minutes the first time)")
        code, output = self.pip(["--editable", what])
        with open(self.log, "wb") as file:
            file.write(output.encode("utf-8"))
        if code:
            self.remove_stamp()
            raise Trouble(
                "pip could not install what pyproject.toml declares (is there a "
                "network?): %s [all that it said: %s]" % (last(output), self.log)
            )
        # A layout engine in a wheel. Without a wheel for this machine there is
        # nothing to build it from either, and the `dot` program serves as well.
        pictures = declaration(self.root)["project"]["optional-dependencies"]
        arguments = ["--only-binary", "pygraphviz"] + pictures["pictures"]
        code, output = self.pip(arguments)
        if code:
            say("no ready-made pygraphviz here: pictures need Graphviz's dot program")
        found = self.probe()
        if found is None:
            raise Trouble("the new environment does not run: remove .venv, try again")
        stamp = dict(wanted, extras=extras, python="%d.%d" % found[0][:2])
        self.write_stamp(stamp)


def last(output):
    """The line of a failed command's output that most likely says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "Error:"))]
    return (errors or lines or ["it said nothing"])[-1]


# -------------------------------------------------------------------- the commands


def test(environment, arguments):
    """Every check runs, so that one look shows all there is to put right."""
    env, python = environment.variables(), environment.python
    failed = []
    for name, check in CHECKS:
        say(name)
        if call([python] + check, environment.root, env):
            failed.append(name)
    say("pytest")
    # The whole suite takes minutes, so all cores take part; what was chosen does not.
    whole = all(one.startswith("--") and one != "--pdb" for one in arguments)
    spread = ["-n", "auto", "--maxprocesses=4", "--dist=loadfile"] if whole else []
    code = call([python, "-m", "pytest"] + spread + arguments, environment.root, env)
    if failed:
        say("failed: " + ", ".join(failed + ["pytest"] * bool(code)))
    return code or bool(failed)


def run(environment, command, arguments):
    root, python = environment.root, environment.python
    here = os.getcwd()
    if command == "site" and not os.path.exists(os.path.join(root, "docs", "conf.py")):
        raise Trouble("there is no documentation to build yet (docs/conf.py)")
    benchmarks = os.path.join(root, "benchmarks", "__main__.py")
    if command == "bench" and not os.path.exists(benchmarks):
        raise Trouble("there are no benchmarks to run yet (benchmarks/__main__.py)")
    environment.prepare(arguments if command == "install" else EXTRAS.get(command, []))
    if command == "install":
        return 0
    if command == "test":
        return test(environment, arguments)
    if command == "site":
        build = ["-m", "sphinx", "-W", "-b", "html", "docs", "build/site"]
        return hand_over([python] + build + arguments, root, environment.variables())
    if command == "bench":
        full = [python, "-m", "benchmarks"] + arguments
        return hand_over(full, root, environment.variables())
    if command == "python":
        return hand_over([python] + arguments, here, environment.variables())
    tour = ["tour"] if command == "tour" else []
    full = [environment.program("minigrad")] + tour + arguments
    return hand_over(full, here, environment.variables())


def main(arguments, root=ROOT):
    try:
        check_python()
        if not arguments or arguments[0] in ("-h", "--help", "help"):
            print(__doc__.strip())
            return 0 if arguments else 2
        if arguments[0] not in COMMANDS:
            names = ", ".join(COMMANDS)
            raise Trouble("unknown command %r: one of %s" % (arguments[0], names), 2)
        return run(Environment(root), arguments[0], arguments[1:])
    except Trouble as trouble:
        say(str(trouble))
        return trouble.code
    except (IOError, OSError, ValueError) as error:  # disk, rights, broken TOML
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
