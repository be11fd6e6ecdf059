"""The README's pictures: all there, small, well-formed, made by docs/gallery.py."""

import importlib.util
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"


def needs_a_layout():
    if not shutil.which("dot"):
        pytest.importorskip("pygraphviz", reason="needs dot or pygraphviz")


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs/gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_picture_is_in_the_folder_and_small(gallery):
    made = {f"{picture.name}.svg" for picture in gallery.PICTURES} | {"gradient.svg"}
    others = {"README.md", "player.png"}
    assert {path.name for path in FOLDER.iterdir()} == made | others
    for name in made:
        path = FOLDER / name
        assert path.stat().st_size < 150_000
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == gallery.overview()


def test_the_readme_shows_pictures_that_there_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"docs/pictures/[\w-]+\.\w+", text))
    assert "docs/pictures/lstm.svg" in shown and "docs/pictures/lstm-dark.svg" in shown
    assert all((ROOT / name).exists() for name in shown)


def test_the_pictures_are_of_what_the_gallery_draws(gallery):
    """Their texts and lines; places depend on the machine's fonts."""
    needs_a_layout()
    for picture in gallery.PICTURES:
        if picture.name not in ("lstm", "rnn-backward", "lstm-values"):
            continue
        texts, lines = set(), set()
        for svg in (picture.draw().svg(), (FOLDER / f"{picture.name}.svg").read_text()):
            found = list(ElementTree.fromstring(svg).iter())
            ids = [e.get("id") for e in found if (e.get("class") or "").startswith("e")]
            lines.add(tuple(ids))
            # A number beside a line has its place only where there is room for it.
            words = [e.text for e in found if e.tag.endswith("}text")]
            texts.add(tuple(w for w in words if w and not w[-1].isdigit()))
        assert len(lines) == len(texts) == 1


def test_the_ten_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    needs_a_layout()
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.S)
    program = program.replace("np.arange(60)", "np.arange(4)")
    exec(program, {})
    assert "[" in capsys.readouterr().out
    assert {"lstm.svg", "steps.html"} == {path.name for path in tmp_path.iterdir()}
