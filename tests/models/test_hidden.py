"""A models.py of the user's own that hides the package is named."""

import os
import subprocess
import sys
import types

import pytest

from minigrad.errors import SetupError
from minigrad.recurrent import models


def test_ours_is_found():
    assert models().LSTM.__module__ == "models.lstm"


@pytest.mark.parametrize("content", ["", "LSTM = 3", "import no_such_thing", "1 / 0"])
def test_a_file_that_hides_it_is_named(tmp_path, content):
    (tmp_path / "models.py").write_text(content)
    code = (
        "from minigrad.errors import SetupError\n"
        "from minigrad.recurrent import models\n"
        "try:\n    models()\n"
        "except SetupError as error:\n    print(error)\n"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    path = os.pathsep.join([str(tmp_path), root])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rename your own models.py" in done.stdout
    assert str(tmp_path / "models.py") in done.stdout


def test_one_that_was_imported_before_is_named(monkeypatch):
    other = types.ModuleType("models")
    other.__file__ = "/home/me/models.py"
    monkeypatch.setitem(sys.modules, "models", other)
    with pytest.raises(SetupError, match=r"`models` is /home/me/models\.py"):
        models()


def test_a_missing_package_is_told_from_a_hidden_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "models", types.ModuleType("models"))
    with pytest.raises(SetupError, match="install minigrad again"):
        models()
