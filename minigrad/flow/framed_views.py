"""What notebooks show of a diagnosis and a monitor: their page, and one figure.

The figure is what is left where a viewer takes the page's frame away.

Read next: `comparison.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.flow import gradient_plots
from minigrad.flow.figure_page import whole
from minigrad.flow.finding_lists import finding_lines
from minigrad.flow.findings import reach
from minigrad.flow.monitor_page import body
from minigrad.flow.page_sections import diagnosis_body
from minigrad.flow.plot_style import LOOKS, new_figure, safe, say
from minigrad.pages.notebook_view import View, with_picture
from minigrad.pages.page import framed
from minigrad.pages.plots import BLUE, svg

HEIGHT = 720  # pixels


def diagnosis_view(d: Any) -> View:
    """The page, and the gradient by distance."""
    drawn, axes = new_figure(6.6, 4.4)
    curves = {reading.name: reading.norms for reading in d.readings}
    label = "norm of the gradient at the state"
    gradient_plots.distances(curves, axes[0, 0], ylabel=label)
    page = diagnosis_body(d)
    return _view("Where the gradient goes", page, drawn, repr(d), str(d))


def monitor_view(monitor: Any) -> View:
    """The page, and the loss with how far back it reaches."""
    drawn, axes = new_figure(6.6, 5.0, rows=2)
    upper, lower = axes[:, 0]
    if monitor.seen:
        _loss_and_reach(monitor.seen, upper, lower)
    else:
        say(upper, "no batch was seen")
        lower.set_axis_off()
    words = "\n".join([repr(monitor), *finding_lines(monitor.findings)])
    page = body(monitor)
    return _view("Gradients in training", page, drawn, repr(monitor), words)


def _loss_and_reach(seen: Any, upper: Any, lower: Any) -> None:
    """Over the steps of training: the loss; the reach of each loop."""
    upper.plot([look.step for look in seen], [look.loss for look in seen], color=BLUE)
    upper.set(ylabel="loss")
    reaches: dict[str, list[tuple[int, int]]] = {}
    for look in seen:
        for r in look.readings:
            reaches.setdefault(r.name, []).append((look.step, reach(r.norms)))
    for number, (name, points) in enumerate(reaches.items()):
        x, y = zip(*points, strict=True)
        lower.plot(x, y, label=safe(name), **LOOKS[number % len(LOOKS)])
    if not reaches:
        say(lower, "no loop over time was seen")
        return
    lower.set(xlabel="step of training", ylabel="steps back")
    lower.set_title("How far back the gradient reaches")
    lower.legend(fontsize=8)


def _view(title: str, page: str, drawn: Any, about: str, words: str) -> View:
    picture = svg(drawn).decode()
    frame = framed(whole(title, page), title, HEIGHT)
    return View(with_picture(frame, picture, about), picture, words)
