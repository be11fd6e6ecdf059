"""The same value has the same name in every reader of a graph."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

import minigrad as mg
from minigrad.engine.graph import Leaf, ancestors
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN, RNNCell, unroll
from minigrad.reading.formula_printers import mathml, tex
from minigrad.reading.names import Names, Symbol, last_word
from minigrad.stepping import Steps
from minigrad.stepping.play.terminal_player import print_all


def sequence(steps=3, batch=1, size=2):
    x = np.random.default_rng(0).standard_normal((steps, batch, size))
    return mg.tensor(x, name="x")


def one_layer():
    return (LSTM(2, 2, rng=0)(sequence())[0] ** 2).mean()


def two_layers_in_both_directions():
    net = LSTM(2, 2, 2, bidirectional=True, rng=0)
    return (net(sequence(), lengths=None)[0] ** 2).mean()


def padded():
    return (GRU(2, 2, rng=0)(sequence(batch=2), lengths=[3, 1])[0] ** 2).mean()


def own_cell():
    W = mg.tensor(np.full((2, 2), 0.5), requires_grad=True, name="W")
    u = mg.tensor(np.ones(2), requires_grad=True, name="u")

    def cell(x, state):
        level, trend = state
        with gate("z"):
            z = mg.sigmoid(x @ W + level * u)
        with mg.scope("trend"):
            slope = trend + z * (level - trend)
        return z * slope + (1 - z) * level, slope

    start = mg.tensor(np.ones((1, 2)), name="s0"), mg.tensor(np.ones((1, 2)))
    return (unroll(cell, sequence(), start).output ** 2).mean()


PROGRAMS = [one_layer, two_layers_in_both_directions, padded, own_cell]
every_program = pytest.mark.parametrize("program", PROGRAMS)


def names_of(loss):
    """What the player's events call every value: {(node or leaf, output): text}."""
    steps, found = mg.steps(loss), {}
    for node, operation in zip(ancestors([loss.node]), steps.operations, strict=True):
        for edge, k in zip(node.edges, operation.inputs, strict=True):
            if edge.source is not None:
                name = str(steps.values[k].symbol)
                assert found.setdefault((edge.source, edge.index), name) == name
        for index, k in enumerate(operation.outputs):
            found[node, index] = str(steps.values[k].symbol)
    return found


@every_program
def test_different_values_have_different_names(program):
    found = list(names_of(program()).values())
    assert len(set(found)) == len(found)


@every_program
@pytest.mark.parametrize("level", ["op", "gate", "cell"])
def test_the_picture_says_what_the_player_says(program, level):
    loss = program()
    names = names_of(loss)
    picture = mg.draw(loss, level).picture
    lines = [line for line in picture.lines if line.label]
    for line in lines:
        number, index = line.source
        assert line.label == names[picture.nodes[number], index]
    ghosts = [box for box in picture.boxes.values() if box.leaf is not None]
    for box in ghosts:
        assert box.lines[0] == names[box.leaf, 0]
    called = [box for box in picture.boxes.values() if box.name]
    for box in called:
        assert box.name == names[picture.nodes[box.nodes[-1]], 0]
    for use in picture.legend:
        symbol, _, full = use.name.partition(" = ")
        assert symbol == names[use.leaf, 0] and full in ("", use.leaf.name)
    assert {"x_0", "x_1", "x_2"} <= {line.label for line in lines}
    assert len(ghosts) > 3 and len(called) > 3 and len(picture.legend) > 1


@every_program
def test_a_file_of_steps_is_drawn_with_the_same_names(program):
    loss = program()
    for level in ("op", "gate"):
        steps = Steps.from_json(mg.steps(loss, level=level).to_json())
        ours, theirs = mg.draw(loss, level).picture, steps.drawing().picture
        assert [b.lines for b in ours.boxes.values()] == [
            b.lines for b in theirs.boxes.values()
        ]
        assert [b.name for b in ours.boxes.values()] == [
            b.name for b in theirs.boxes.values()
        ]
        assert [e.label for e in ours.lines] == [e.label for e in theirs.lines]


@every_program
def test_the_explanation_says_what_the_player_says(program):
    loss = program()
    names = names_of(loss)
    known = set(names.values())
    edges = {e.source: e for n in ancestors([loss.node]) for e in n.edges}
    parameters = [e for leaf, e in edges.items() if isinstance(leaf, Leaf)
                  and e.requires_grad]  # fmt: skip
    assert len(parameters) > 1
    told = set()
    for edge in parameters:
        e = mg.explain(mg.Tensor.of(edge), (0,) * edge.array.ndim, loss)
        symbol, full = names[edge.source, 0], edge.source.name
        assert e.parameter.partition("[")[0] == symbol
        text = e.text(max_paths=40)
        assert (f"{symbol} is the tensor {full!r}." in text) == (full != symbol)
        for pair in re.findall(r"∂([^\s·\[‖]+?)/∂([^\s·\[‖]+)", text):
            told |= {*pair}
        for whole, parts in e.names.parts.items():
            assert whole.startswith("s_") and set(parts) <= known
            told.discard(whole)
        assert tex(_symbol(symbol)) in e.latex()
        assert mathml(_symbol(symbol)) in e._repr_html_()
    assert told <= known | {"L"}
    assert len(told) > 3


def _symbol(text):
    base, _, sup = text.partition("^")
    head, _, sub = base.rpartition("_")
    digits = sub.isdigit() or sub == "init"
    return Symbol(head, sub, sup) if head and digits else Symbol(base, "", sup)


@every_program
def test_the_terminal_and_the_page_say_what_the_events_say(program):
    steps = mg.steps(program())
    for number in range(0, len(steps), 3):
        event = steps.events[number]
        if event.operation is None:
            continue
        console = Console(width=160, file=io.StringIO(), color_system=None)
        print_all(steps, number, number, console=console)
        operation = steps.operations[event.operation]
        made = [str(steps.values[k].symbol) for k in operation.outputs]
        shown = console.file.getvalue()
        assert made[0] in shown or event.kind in ("contribution", "stacked")
        if event.kind == "contribution":
            assert str(steps.values[event.target].symbol) in shown
    template = steps.html().partition('<template id="mg-symbols">')[2]
    symbols = template.partition("</template>")[0].split("</math>")[:-1]
    for value, markup in zip(steps.values, symbols, strict=True):
        if value.kind != "constant":
            letters = re.sub("<[^>]*>", "", markup)
            assert letters == re.sub(r"[_^]", "", str(value.symbol))


@pytest.mark.parametrize("layers", [1, 2])
def test_tables_and_messages_use_the_same_words(layers):
    net = LSTM(2, 2, layers, bidirectional=layers > 1, rng=0)
    loss = (net(sequence())[0] ** 2).mean()
    names, steps = names_of(loss), mg.steps(loss)
    led = mg.ledger(loss, net)
    for p in led.parameters:
        symbol = steps.find(p.name).symbol
        assert str(symbol) == names[p._edge.source, 0]
        assert last_word(p.name) == symbol.base
        with pytest.raises(mg.errors.ShapeError) as caught:
            p @ np.ones((7, 7))
        assert f"'{p.name}'" in str(caught.value)
    letters = {letter for r in mg.diagnose(loss).readings for letter in r.gates}
    assert letters == {"i", "f", "g", "o"}
    assert letters <= {value.symbol.base for value in steps.values}


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_a_trace_has_the_same_letters_and_numbers(kind):
    net = kind(2, 2, rng=0)
    trace = net.trace(sequence())
    steps = mg.steps((trace.output**2).mean())
    values = {str(value.symbol): value.array.array for value in steps.values}
    for letter in trace.names:
        for t, array in enumerate(trace[letter]):
            number = t + 1 if letter in ("h", "c") else t
            assert np.array_equal(values[f"{letter}_{number}"], array)
    for letter, start in zip(net.cells[0].states, trace.states[0], strict=True):
        assert start.name == f"{letter}_0"
        assert np.array_equal(values[f"{letter}_0"], start.data)


# ------------------------------------------------------------- single rules


def test_names_do_not_depend_on_who_asks_first():
    loss = two_layers_in_both_directions()
    nodes = ancestors([loss.node])
    edges = [edge for node in nodes for edge in node.edges]
    ahead, back = Names(nodes, loss.node), Names(nodes, loss.node)
    expected = [ahead.of(edge) for edge in edges]
    assert [back.of(edge) for edge in edges[::-1]] == expected[::-1]


def test_what_a_second_layer_reads():
    loss = two_layers_in_both_directions()
    nodes = ancestors([loss.node])
    names = Names(nodes, loss.node)
    joined = [n for n in nodes if n.primitive.name == "concatenate"]
    assert [str(names.result(n)) for n in joined[:3]] == [
        "x_0^(1)",
        "x_1^(1)",
        "x_2^(1)",
    ]
    assert [names.named(n) for n in joined[3:]] == [None] * 3  # no layer reads these
    box = mg.draw(loss, "gate").picture.boxes
    formulas = {line for b in box.values() for line in b.lines if " W_x" in line}
    assert formulas == {"x W_x + h W_h + b"}
    net = RNN(2, 2, 2, rng=0)
    loss = net(sequence())[0].sum()
    box = mg.draw(loss, "gate").picture.boxes
    formulas = {line for b in box.values() for line in b.lines if " W_x" in line}
    assert formulas == {"x W_x + h W_h + b", "h^(0) W_x + h W_h + b"}


def test_initial_states_that_are_given_belong_to_their_layer(rng):
    net = RNN(2, 2, 2, bidirectional=True, rng=0)
    start = mg.tensor(rng.standard_normal((4, 1, 2)), requires_grad=True, name="start")
    named = set(names_of(net(sequence(), start)[0].sum()).values())
    assert {"start_0", "start_3"} <= named
    named = set(
        names_of(net(sequence(), rng.standard_normal((4, 1, 2)))[0].sum()).values()
    )
    marks = {"h_0^(0)", "h_init^(0,rev)", "h_0^(1)", "h_init^(1,rev)"}
    assert marks <= named


def test_a_hand_written_loop_that_goes_back(rng):
    start = mg.tensor(np.zeros((1, 2)), requires_grad=True, name="h0")
    x = rng.standard_normal((3, 1, 2))
    with mg.scope("decoder"):
        loop = unroll(RNNCell(2, 2, rng=0), x, start, reverse=True)
    named = set(names_of(loop.output.sum()).values())
    assert {"h_init", "h_2", "h_0"} <= named and "h_3" not in named


def test_a_padded_step_names_what_it_chooses():
    loss = padded()
    found = names_of(loss)
    chosen = {name for (n, _), name in found.items()
              if not isinstance(n, Leaf) and n.primitive.name == "where"
              and any(level.kind == "step" for level in n.scope)}  # fmt: skip
    assert {"h_1", "h_2", "h_3"} <= chosen
    assert "h̃_1" in found.values()


def test_a_weight_that_the_loss_reads_too_keeps_its_layer():
    net = RNN(2, 2, 2, rng=0)
    decay = sum((p * p).sum() for p in net.parameters())
    named = set(names_of(net(sequence())[0].sum() + decay).values())
    assert {"W_h^(0)", "W_h^(1)", "b^(1)"} <= named


def test_nothing_but_a_single_number_is_called_L(rng):
    y = RNN(2, 2, rng=0)(sequence())[1][0]
    assert "L" not in {str(v.symbol) for v in mg.steps(y, grad=np.ones((1, 2))).values}
    assert str(mg.steps(y.sum()).values[-1].symbol) == "L"


def test_gradients_have_no_names_of_values(rng):
    """A recorded backward pass: what takes a gradient apart makes no x_0."""
    net = RNN(2, 2, rng=0)
    loss = (net(sequence())[0] ** 2).mean()
    [g] = mg.grad(loss, [net.cells[0].W_h], create_graph=True)
    nodes = ancestors([g.node])
    names = Names(nodes)
    backward = [n for n in nodes if n.origin is not None]
    assert backward and all(names.named(n, k) is None for n in backward
                            for k in range(len(n.outputs)))  # fmt: skip
    forward = {str(names.result(n)) for n in nodes if n.origin is None}
    assert {"h_1", "h_2"} <= forward


def test_last_words():
    assert last_word("cells.0.W_h") == "W_h" and last_word("b.") == "b."
    assert last_word("") == "" and len(last_word("x" * 1000)) == 32
    assert Symbol("-0.5").value == -0.5 and Symbol("x").value is None


def test_a_state_that_is_handed_over_keeps_its_name(rng):
    """An encoder's last state, stacked for the user, is h_3 in the decoder too."""
    encoder, decoder = GRU(2, 3, rng=0), GRU(2, 3, rng=1)
    _, h = encoder(rng.standard_normal((3, 1, 2)))
    output, _ = decoder(rng.standard_normal((2, 1, 2)), h)
    words = [line.label for line in mg.draw(output.sum(), "cell").picture.lines]
    assert words.count("h_3^(GRU 1)") == 1 and words.count("x_0") == 2


def written(loss):
    """What every value of a player is called, in order."""
    return [str(value.symbol) for value in mg.steps(loss).values]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rnn", "a_1 a_1^x a_1^h"),
        ("lstm", "a_1 a_1^x a_1^h a_i,1 a_f,1 a_g,1 a_o,1"),
        ("gru", "a_1^x a_1^h a_r,1 a_z,1 a_n,1 a_r,1^x a_z,1^x a_n,1^x a_n,1^h"),
    ],
)
def test_what_a_gate_takes_is_its_pre_activation(kind, expected):
    model = {"rnn": RNN, "lstm": LSTM, "gru": GRU}[kind](2, 3, rng=0)
    output, _ = model(mg.tensor(np.ones((2, 1, 2)), name="x"))
    names = written(output[-1].sum())
    assert set(expected.split()) <= set(names)
    assert len(names) == len(set(names))


def test_the_value_of_a_gate_is_its_activation_of_the_pre_activation():
    output, _ = LSTM(2, 3, peephole="current", rng=0)(mg.ones((3, 1, 2)))
    steps = mg.steps(output[-1].sum())

    def array(name):
        return steps.find(name).array.array

    for letter in "ifo":
        taken = array(f"a_{letter},2")
        assert np.array_equal(mg.sigmoid(taken).data, array(f"{letter}_2"))
        assert not np.array_equal(taken, array(f"a_{letter},2^x,h"))  # before c is seen


def test_a_cell_of_ones_own_with_something_called_a(rng):
    a = mg.tensor(rng.normal(size=(2, 2)), requires_grad=True, name="a")
    h = mg.zeros((1, 2))
    for _ in range(3):
        h = mg.tanh(mg.tensor(rng.normal(size=(1, 2))) @ a + h @ a)
    names = written(h.sum())
    assert {"net_0", "net_2^x", "s_0", "s_3", "x_0", "x_2", "a"} <= set(names)
    assert not [name for name in names if name[0] == "v" or "′" in name]


def test_what_a_loop_begins_with_has_its_state_s_letter(rng):
    U = mg.tensor(rng.normal(size=(2, 2)), requires_grad=True, name="U")

    def cell(x, state):
        with gate("h"):
            return mg.tanh(x @ U + state @ U)

    for begun in (mg.zeros((1, 2)), np.zeros((1, 2))):
        tr = unroll(cell, mg.tensor(rng.normal(size=(3, 1, 2))), begun)
        names = written(tr.states[-1].sum())
        assert "h_0" in names and not [name for name in names if "′" in name]
