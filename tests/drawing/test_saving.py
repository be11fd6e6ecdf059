"""Saving pictures: whole or not at all, whatever goes wrong."""

import errno
import os
from pathlib import Path

import pytest
from drawn import example, needs_an_engine

import minigrad as mg
from minigrad.drawing.write import graphviz_engines
from minigrad.engine.errors import ArgumentError, DrawingError
from minigrad.training import checkpoint

ENDINGS = ("svg", "png", "pdf", "html", "dot")


@pytest.fixture
def drawing():
    needs_an_engine()
    return mg.draw(example("rnn"), "cell")


def test_a_path_of_either_kind_and_any_case(drawing, tmp_path):
    drawing.save(str(tmp_path / "a.SVG"))
    drawing.save(tmp_path / "b.Dot")
    assert {path.name for path in tmp_path.iterdir()} == {"a.SVG", "b.Dot"}


def test_into_the_current_folder_and_over_an_older_file(drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.dot").write_text("old")
    drawing.save("x.dot")
    assert Path("x.dot").read_text() == drawing.dot


def test_the_rights_are_those_of_any_new_file(drawing, tmp_path):
    drawing.save(tmp_path / "x.dot")
    (tmp_path / "y").write_text("")
    assert (tmp_path / "x.dot").stat().st_mode == (tmp_path / "y").stat().st_mode


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_the_old_file(drawing, ending, tmp_path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / f"x.{ending}"
    path.write_text("old")
    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(DrawingError, match="No space left") as caught:
        drawing.save(path)
    assert "free space" in str(caught.value)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_save_leaves_nothing_half_written(
    drawing, fault, tmp_path, monkeypatch
):
    def stop(*_):
        raise fault

    monkeypatch.setattr(checkpoint.os, "replace", stop)
    with pytest.raises(fault):
        drawing.save(tmp_path / "x.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e != "dot"])
def test_a_failing_engine_leaves_the_old_file(drawing, ending, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise DrawingError("draw: dot failed")

    monkeypatch.setattr(graphviz_engines, "run", fail)
    path = tmp_path / f"x.{ending}"
    path.write_text("old")
    with pytest.raises(DrawingError, match="dot failed"):
        drawing.save(path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("file/x.dot", DrawingError, "cannot be written"),
        ("x.tiff", ArgumentError, "ending='tiff' is not offered"),
        ("x", ArgumentError, "ending='' is not offered"),
        (".svg", ArgumentError, "ending='' is not offered"),
        ("a\0b.dot", DrawingError, "cannot be written"),
        ("\ud800.dot", DrawingError, "cannot be written"),
        ("y" * 400 + ".dot", DrawingError, "cannot be written"),
        ("folder.dot", DrawingError, "cannot be written"),
    ],
)
def test_places_that_are_none(drawing, name, error, said, tmp_path):
    (tmp_path / "folder.dot").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(error) as caught:
        drawing.save(os.path.join(tmp_path, name))
    assert said in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"folder.dot", "file"}


def test_missing_folders_are_made(drawing, tmp_path):
    drawing.save(tmp_path / "new" / "folder" / "x.dot")
    assert (tmp_path / "new" / "folder" / "x.dot").read_text() == drawing.dot


@pytest.mark.parametrize("path", [None, 3, object()])
def test_what_is_no_path(drawing, path):
    with pytest.raises(ArgumentError, match="this is no path"):
        drawing.save(path)


def test_a_folder_that_may_not_be_written_to(drawing, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DrawingError, match="Permission denied"):
        drawing.save(tmp_path / "x.dot")


# ------------------------------------------------------------- in notebooks


def test_a_notebook_shows_it_in_a_sandbox(drawing):
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert bundle["text/plain"] == repr(drawing)
    assert repr(drawing) == f"<Drawing, level 'cell': {drawing.counts}>"
    assert bundle["image/svg+xml"] == drawing._repr_svg_() == drawing.svg()
    frame = bundle["text/html"]
    assert frame == drawing._repr_html_()
    assert (
        frame.count("<iframe") == frame.count('<iframe sandbox="allow-scripts" ') == 1
    )
    assert "<script" not in frame and "&lt;script" in frame
    assert "allow-same-origin" not in frame.partition("srcdoc")[0]


def test_a_notebook_without_an_engine_shows_words(drawing, monkeypatch):
    monkeypatch.setattr(graphviz_engines, "installed", lambda: [])
    fresh = mg.draw(example("rnn"), "cell")
    bundle = fresh._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "pip install pygraphviz" in bundle["text/plain"]
    assert fresh._repr_html_() == ""
