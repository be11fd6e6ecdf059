"""A models.py of the user's own that hides the package is named."""

import os
import subprocess
import sys

import pytest

from minigrad.recurrent import models


def test_ours_is_found():
    assert models().LSTM.__module__ == "models.lstm"


@pytest.mark.parametrize("content", ["", "LSTM = 3", "import nothing_like_this"])
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
    if "import" not in content:
        assert str(tmp_path / "models.py") in done.stdout
