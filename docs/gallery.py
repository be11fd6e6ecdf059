"""Every picture that the README shows, and a gallery of what `mg.draw` can do.

    python3 run.py python docs/gallery.py

This writes the SVG files in docs/pictures/, and the README.md there, which shows them
all. The programs are always the same, so the pictures are, too. Only the fonts may
differ from machine to machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.commands.main import main
from minigrad.drawing.drawing import Drawing
from minigrad.models import GRU, LSTM, RNN

FOLDER = Path(__file__).with_name("pictures")
WORDS = "not so bad"


def inputs(steps: int = 3) -> mg.Tensor:
    """Input vectors: (steps, 1, 3)."""
    x = np.random.default_rng(1).standard_normal((steps, 1, 3))
    return mg.tensor(x, name="x")


def last_state(model: Any, steps: int = 3) -> mg.Tensor:
    """The sum of the last hidden state: what is left of all steps at the end."""
    _, state = model(inputs(steps))
    return (state[0] if isinstance(state, tuple) else state).sum()


def hero(theme: str = "light") -> Drawing:
    """The README's first picture."""
    loss = last_state(LSTM(3, 4, rng=1))
    return mg.draw(loss, words=WORDS, gradients=True, theme=theme, title="LSTM")


def level(model: Any, name: str, **options: Any) -> Drawing:
    """A model's outputs over three words, at one level."""
    return mg.draw(model(inputs())[0], name, words=WORDS, **options)


def backward() -> Drawing:
    """The recorded gradient of an RNN with its forward graph."""
    model = RNN(3, 4, rng=1)
    grads = mg.grad(last_state(model), list(model.parameters()), create_graph=True)
    return mg.draw(list(grads), words=WORDS)


def expression() -> Drawing:
    """A few numbers: no time steps at all."""
    a, b, c = (
        mg.tensor(value, requires_grad=True, name=name)
        for value, name in ((0.6, "a"), (-0.3, "b"), (1.0, "c"))
    )
    x = a * b + c
    return mg.draw((x * x).tanh() - a, values=True, gradients=True)


class Picture(NamedTuple):
    """One picture of the gallery; `words` says what to see in it."""

    name: str
    words: str
    draw: Callable[[], Any]


PICTURES = (
    Picture(
        "lstm",
        "An LSTM, drawn with every operation. The colour and the width of a line, and "
        "the number on it, show how large the gradient of the last hidden state is "
        "there. "
        "The gradient stays large along the cell state c (above), and gets small along "
        "the hidden state h (below).",
        hero,
    ),
    Picture(
        "lstm-dark", "The same picture with a dark background.", lambda: hero("dark")
    ),
    Picture(
        "lstm-gates",
        "One box per gate. Each box shows its mean value. The larger the mean, the "
        'stronger the colour: `level="gate", values="mean"`.',
        lambda: level(LSTM(3, 4, rng=1), "gate", values="mean"),
    ),
    Picture(
        "lstm-values",
        "Each box shows the minimum, the maximum, the mean and a small heat map (blue: "
        "below zero, orange: above zero): `values=True`.",
        lambda: level(LSTM(3, 4, rng=1), "gate", values=True),
    ),
    Picture(
        "lstm-peephole",
        'Here the gates also see the cell state: `LSTM(..., peephole="current")`.',
        lambda: level(LSTM(3, 4, peephole="current", rng=1), "op"),
    ),
    Picture(
        "lstm-long",
        "A sequence of a hundred steps. The steps in the middle are left out. The "
        "options `max_steps`, `first`, `last` and `steps` decide which ones.",
        lambda: mg.draw(LSTM(3, 4, rng=1)(inputs(100))[0], "cell", max_steps=6),
    ),
    Picture(
        "lstm-rows",
        "A time line that is broken into rows, for a slide or a page: `wrap=3`, or "
        "`width=1200` for as many steps as fit 1200 pixels.",
        lambda: mg.draw(LSTM(3, 4, rng=1)(inputs(6))[0], "gate", wrap=3),
    ),
    Picture(
        "rnn",
        "An RNN, drawn with every operation.",
        lambda: level(RNN(3, 4, rng=1), "op"),
    ),
    Picture(
        "rnn-backward",
        "A gradient made with `create_graph=True` has a graph of its own. It is drawn "
        "above the forward graph. Each of its operations says which rule it belongs "
        "to. Dotted boxes are values from the forward graph that a rule uses.",
        backward,
    ),
    Picture(
        "gru",
        "A GRU, drawn with every operation.",
        lambda: level(GRU(3, 4, rng=1), "op"),
    ),
    Picture(
        "gru-gates",
        "The same GRU, drawn with one box per gate.",
        lambda: level(GRU(3, 4, rng=1), "gate"),
    ),
    Picture(
        "bidirectional",
        "Two bidirectional layers, with one box per step. In the reverse rows, time "
        "runs from right to left.",
        lambda: level(GRU(3, 4, 2, bidirectional=True, rng=1), "cell"),
    ),
    Picture(
        "expression",
        "Any graph can be drawn. This one is made of a few numbers, and shows their "
        "values and gradients.",
        expression,
    ),
)
HEAD = """# Pictures

`python3 run.py python docs/gallery.py` makes these pictures. Each of them is one call
of `mg.draw`. If you save a drawing as `.html`, you can zoom, search and fold it.
"""


def overview() -> str:
    """The page that shows them all."""
    parts = [HEAD]
    for picture in PICTURES:
        parts.append(f"![{picture.name}]({picture.name}.svg)\n\n{picture.words}\n")
    return "\n".join(parts)


def player(folder: Path) -> None:
    """The player at a backward step of an LSTM, as a browser shows it: player.png."""
    from playwright.sync_api import sync_playwright

    output, _ = LSTM(2, 3, rng=1)(mg.tensor(inputs().data[:, :, :2], name="x"))
    steps = mg.steps((output * output).mean(), title="LSTM, three steps")
    steps.save(folder / "player.html")
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((folder / "player.html").as_uri() + "#event=60")
        page.wait_for_timeout(500)  # until it has scrolled there
        page.screenshot(path=folder / "player.png")
        browser.close()


def write(folder: Path, everything: bool = True) -> None:
    """Write every picture and the page. `everything`: also what takes longer, the
    tour's plot (half a minute) and the player (a browser, and the extra `test`)."""
    folder.mkdir(exist_ok=True)
    for picture in PICTURES:
        picture.draw().save(folder / f"{picture.name}.svg")
        print(folder / f"{picture.name}.svg")
    (folder / "README.md").write_text(overview(), encoding="utf-8")
    if everything:
        with tempfile.TemporaryDirectory() as scratch:
            if main(["tour", "-o", scratch]) == 0:
                shutil.copy(Path(scratch, "gradient.svg"), folder / "gradient.svg")
            player(Path(scratch))
            shutil.copy(Path(scratch, "player.png"), folder / "player.png")


if __name__ == "__main__":
    write(FOLDER)
