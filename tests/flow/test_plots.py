"""Plots show what was measured, hide nothing, and say why they are empty."""

import numpy as np
import pytest
from test_ledger import B, D, T, network
from test_products import linear

import minigrad as mg
from minigrad.engine import errors
from minigrad.flow import cliff, gradient_plots, plot_style, terminal_tables
from minigrad.models import GRU, LSTM, RNN, unroll_traced
from minigrad.pages.plots import svg


@pytest.fixture
def axes():
    _, made = plot_style.new_figure(6, 4)
    return made[0, 0]


def words_in(axes):
    shown = [text.get_text() for text in axes.texts]
    legend = axes.get_legend()
    if legend is not None:
        shown += [text.get_text() for text in legend.get_texts()]
    return " / ".join(shown)


def loop_of(w, steps):
    shape = (steps, 1, 1)
    return mg.jacobian_products(
        unroll_traced(linear([[w]]), np.zeros(shape), np.ones((1, 1)))
    )


def test_distances_are_the_logarithms_of_the_norms(axes, rng):
    jps = {}
    for kind in (RNN, LSTM, GRU):
        trace = network(kind, rng).trace(rng.standard_normal((T, B, D)))
        jps[kind.__name__] = mg.jacobian_products(trace)
    gradient_plots.distances(jps, axes)
    for line, jp in zip(axes.get_lines(), jps.values(), strict=False):
        np.testing.assert_allclose(line.get_ydata(), jp.log10_norms()[::-1])
        assert list(line.get_xdata()) == list(range(T + 1))
    looks = [(line.get_marker(), line.get_color()) for line in axes.get_lines()[:3]]
    assert len({m for m, _ in looks}) == len({c for _, c in looks}) == 3
    assert words_in(axes) == "RNN / LSTM / GRU"


def test_underflow_is_drawn_where_it_is_and_marked(axes):
    gradient_plots.distances({"w = 0.01": loop_of(0.01, 200)}, axes)
    line = axes.get_lines()[0]
    assert line.get_ydata()[-1] == pytest.approx(-400)
    hollow = [ln for ln in axes.get_lines() if ln.get_markerfacecolor() == "white"]
    assert min(hollow[0].get_ydata()) == pytest.approx(-400)
    assert max(hollow[0].get_ydata()) < plot_style.SMALLEST
    assert "underflows float64" in words_in(axes)


def test_exact_zeros_and_nan_are_marked_at_the_edges(axes):
    curves = {"dead": np.array([1.0, 0.5, 0.0, 0.0]), "bad": np.array([1.0, np.nan])}
    gradient_plots.distances(curves, axes)
    low, high = axes.get_ylim()
    zeros, wrong = (c.get_offsets().data.tolist() for c in axes.collections)
    assert zeros == [[2, low], [3, low]] and wrong == [[1, high]]
    assert "exactly 0" in words_in(axes) and "not finite" in words_in(axes)


@pytest.mark.parametrize("values", [[0.0, 0.0], [np.nan, np.nan], [np.inf], [1.0]])
def test_any_curve_can_be_shown(axes, values):
    gradient_plots.distances({"x": np.array(values)}, axes)
    svg(axes.figure)


def test_the_fan_hides_rounding_and_says_so(axes, rng):
    model = network(RNN, rng)
    jp = mg.jacobian_products(model.trace(rng.standard_normal((60, 1, D))))
    gradient_plots.fan(jp, axes)
    logs = jp.log10_singular_values()[::-1]
    for line, column in zip(axes.get_lines(), logs.T[1:], strict=False):
        shown = np.isfinite(line.get_ydata())
        floor = logs[:, 0] + np.log10(jp.resolution)
        assert (shown == (column > floor)).all()
    assert "rounding" in words_in(axes) and "bound" in words_in(axes)


def test_the_bound_is_on_the_fan(axes):
    gradient_plots.fan(loop_of(0.5, 20), axes, W=[[0.5]])
    bounds = [line for line in axes.get_lines() if "bound" in line.get_label()]
    assert len(bounds) == 2
    for bound in bounds:
        np.testing.assert_allclose(bound.get_ydata(), np.log10(0.5) * np.arange(21))


def test_singular_values_that_are_exactly_zero_are_counted(axes):
    W = np.diag([0.5, 0.0])
    loop = unroll_traced(linear(W), np.zeros((6, 1, 2)), np.ones((1, 2)))
    gradient_plots.fan(mg.jacobian_products(loop), axes)
    assert "up to 1 singular values are exactly 0" in words_in(axes)


def test_paths_are_the_two_ways(axes, rng):
    model = network(LSTM, rng)
    jp = mg.jacobian_products(model.trace(rng.standard_normal((T, B, D))))
    gradient_plots.paths(jp, axes)
    found = jp.paths()
    alone = axes.get_lines()[0].get_ydata()
    np.testing.assert_allclose(10**alone, found.alone_norms[::-1])
    rest = axes.get_lines()[1].get_ydata()  # two steps are needed to go through h
    assert np.isnan(rest[:2]).all()
    np.testing.assert_allclose(10 ** rest[2:], found.rest_norms[::-1][2:])


def test_a_cell_without_gates_says_why_there_is_no_second_path(axes, rng):
    jp = mg.jacobian_products(network(RNN, rng).trace(np.ones((T, B, D))))
    assert "no gates" in words_in(gradient_plots.paths(jp, axes))


def test_the_heat_map_shows_norms_and_marks_zeros(axes, rng):
    model = network(LSTM, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    led = mg.ledger((output * output).sum(axis=(1, 2)), model)
    gradient_plots.heat(led, "W_h", axes)
    shown = axes.get_images()[0].get_array()
    norms = led.norms("W_h")
    np.testing.assert_allclose(shown[norms > 0], np.log10(norms[norms > 0]))
    assert np.isnan(np.asarray(shown.data)[norms == 0]).all()
    assert "exactly 0" in words_in(axes)


def test_one_loss_is_a_line(axes, rng):
    model = network(GRU, rng)
    led = mg.ledger(model(rng.standard_normal((T, B, D)))[0][-1].sum(), model)
    led.plot("W_h", axes)
    shown = axes.get_lines()[0].get_ydata()
    np.testing.assert_allclose(10 ** shown[1:], led.norms("W_h")[0, 1:])


def test_empty_axes_say_why(rng):
    model = network(RNN, rng)
    spare = mg.tensor(np.ones(2), requires_grad=True, name="spare")
    output, _ = model(rng.standard_normal((T, B, D)))
    cases = {
        "no loss depends": (
            mg.ledger(output.sum(), [spare, model.cells[0].b]),
            "spare",
        ),
        "exactly zero": (mg.ledger((output * 0.0).sum(), model), "W_h"),
        "zero, NaN or infinite": (mg.ledger((output[0] * np.nan).sum(), model), "b"),
    }
    for why, (led, name) in cases.items():
        _, made = plot_style.new_figure(6, 4)
        axes = gradient_plots.heat(led, name, made[0, 0])
        assert why in words_in(axes), why
        assert not axes.axison
    _, made = plot_style.new_figure(6, 4)
    assert "no network was given" in words_in(gradient_plots.distances({}, made[0, 0]))


def test_gates_over_words(axes, rng):
    trace = network(LSTM, rng).trace(rng.standard_normal((T, B, D)))
    words = ["I", "loved", "<b>the</b>", "$x_1$", "\u202emovie"]
    gradient_plots.gates(trace, words, sample=1, axes=axes)
    shown = axes.get_images()[0].get_array()
    f = trace.names.index("f")
    np.testing.assert_allclose(shown[f], trace["f"][:, 1].mean(axis=1))
    c = trace.names.index("c")
    np.testing.assert_allclose(shown[c], np.abs(trace["c"][:, 1]).mean(axis=1))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[:2] == ["I", "loved"] and "\u202e" not in "".join(labels)
    svg(axes.figure)
    with pytest.raises(errors.ArgumentError, match="one word per step"):
        gradient_plots.gates(trace, words[:3])


def test_figures_are_the_same_bytes_each_time(rng):
    made = []
    for _ in range(2):
        figure, axes = plot_style.new_figure(5, 3)
        gradient_plots.distances({"w": loop_of(0.5, 9)}, axes[0, 0])
        made.append(svg(figure))
    assert made[0] == made[1] and b"<svg" in made[0]


# ------------------------------------------------------------- the cliff


def test_the_slope_of_the_cliff_is_right():
    w = np.array([0.4, 1.0, 1.29, 1.6])
    values, slopes = cliff.surface(w)

    def loss(w):
        h = np.full(w.shape, cliff.START, w.dtype)
        for _ in range(50):
            h = np.tanh(w * h + cliff.BIAS)
        return (h - cliff.TARGET) ** 2

    np.testing.assert_allclose(values, loss(w), rtol=1e-12)
    np.testing.assert_allclose(slopes, loss(w + 1e-200j).imag / 1e-200, rtol=1e-10)


def test_clipping_keeps_descent_near_the_cliff():
    free, held = cliff.descend(), cliff.descend(clip=1.0)
    assert np.abs(free.moves).max() > 5 and np.abs(held.moves).max() <= 0.05
    assert free.loss[-1] > 3 and held.loss[-1] < 1e-3
    np.testing.assert_allclose(np.diff(free.w), free.moves)
    np.testing.assert_allclose(held.slope, cliff.surface(held.w)[1])
    with pytest.raises(errors.ArgumentError, match="number of steps is too small"):
        cliff.descend(count=0)


def test_the_cliff_is_drawn(axes):
    cliff.plot(axes)
    assert axes.lines[0].get_xdata().min() <= cliff.descend().w.min() - 0.2
    assert "without clipping" in words_in(axes) and "clipped" in words_in(axes)
    figure = cliff.plot().figure  # axes of its own fit a page
    assert figure.get_size_inches().tolist() == [7.2, 4.4]


# ------------------------------------------------------------- the terminal


def test_blocks_mark_what_a_logarithm_cannot_show():
    logs = np.array([0.0, -8.0, -np.inf, np.nan, -400.0])
    assert terminal_tables.spark(logs, -8.0, 0.0) == "█▁▽×."
    assert len(terminal_tables.spark(np.zeros(100), 0, 0, width=20)) == 20


@pytest.mark.parametrize(
    ("log", "words"),
    [(0, "1"), (-400.5, "3.2e-401"), (-np.inf, "0"), (np.nan, "NaN"), (500, "1.0e500")],
)
def test_sizes_beyond_float64_have_words(log, words):
    assert terminal_tables.power(log) == words


def test_tables_fit_a_terminal(rng):
    trace = network(LSTM, rng).trace(rng.standard_normal((40, B, D)))
    jp = mg.jacobian_products(trace)
    shown = terminal_tables.text(terminal_tables.distance_table({"LSTM": jp}), width=80)
    assert "…" not in shown and "█" in shown
    assert f"{terminal_tables.short(jp.norms()[20])}" in shown


def test_ledger_tables(rng):
    model = network(RNN, rng)
    output, _ = model(rng.standard_normal((30, B, D)))
    led = mg.ledger((output * output).sum(axis=(1, 2)), model)
    shown = terminal_tables.text(led.table("W_h", most=6), width=80)
    assert "…" not in shown and shown.count("\n") < 14
    assert terminal_tables.short(led.norms("W_h")[29, 29]) in shown
    one = mg.ledger(output[-1].sum(), model)
    assert "█" in terminal_tables.text(one.table("b"))
    spare = mg.tensor(np.ones(1), requires_grad=True, name="spare")
    led = mg.ledger(output[-1].sum(), spare)
    assert "no loss depends on it" in terminal_tables.text(led.table("spare"))


def test_curves_of_user_text_are_shown_safely(axes):
    name = "[red]x[/]\n$\\frac{$"
    gradient_plots.distances({name: np.ones(3)}, axes)
    svg(axes.figure)
    assert "[red]x[/]" in terminal_tables.text(
        terminal_tables.distance_table({name: np.ones(3)})
    )


def test_plots_have_figures_of_their_own(rng):
    from matplotlib import pyplot

    jp = loop_of(0.5, 4)
    for made in (
        jp.plot(),
        gradient_plots.distances({"w": jp}),
        gradient_plots.paths(jp),
    ):
        assert made.figure.number in pyplot.get_fignums()
        pyplot.close(made.figure)
