"""Wrong uses end in one error of ours, with a hint; what has no meaning is refused."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.engine.errors import MinigradError
from minigrad.models import GRU, LSTM, RNN


class Space(dict):
    """The names that a wrong use is written with, made anew for each."""

    def __init__(self, folder):
        x = mg.tensor(np.arange(1.0, 13.0).reshape(3, 4), requires_grad=True)
        sgd = mg.optim.SGD([x], momentum=0.9)
        adam = mg.optim.Adam([x])
        x.sum().backward()
        sgd.step()
        adam.step()
        masked = np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[0, 1, 0, 0])
        super().__init__(
            mg=mg, np=np, x=x, i=mg.tensor([1, 2, 0]), masked=masked, nan=np.nan,
            sgd=sgd, adam=adam, lin=mg.nn.Linear(4, 2, rng=0), d=str(folder),
            drop=mg.nn.Dropout(0.5), loss=x.sum(), f=mg.tanh,
        )  # fmt: skip


class WithNetwork(Space):
    """The same, and a recurrent network with a loss."""

    def __init__(self, folder):
        super().__init__(folder)
        rnn = RNN(4, 3, rng=0)
        trace = rnn.trace(np.ones((5, 2, 4)))
        loss = (trace.output * trace.output).sum()
        self.update(models=models, RNN=RNN, LSTM=LSTM, GRU=GRU)
        self.update(rnn=rnn, tr=trace, rl=loss)


WRONG = """
x // 2          | 2 // x          | x % 2           | 2 % x         | x & x
2 & x           | x | x           | x ^ 2           | x << 1        | 2 >> x
divmod(x, 2)    | ~x              | ~(x > 1)        | x[1.5:]       | x['a':2]
x[nan:]         | x[:, ::'b']     | [1, 2][x]       | range(x)      | x[:1.5]
mg.tensor(masked)                 | x + masked     
mg.tensor([1.0], requires_grad='no')                | mg.zeros(2, requires_grad='no')
mg.tensor(x, dtype=object)        | x.astype(object) | x.astype('M8[s]')
x.astype('S')   | x.astype(None)  | x.sum(keepdims='no')            | x.max(keepdims=2)
x.prod(keepdims='yes')            | mg.norm(x, keepdims='no')
x.argmax(keepdims='no')           | mg.logsumexp(x, keepdims='no')
x.split(True)   | x.split([True]) | x.reshape(True, 12)             | x.clip(5, 1)
x.var(ddof='a') | x.std(ddof=nan) | x.var(ddof=None)
mg.log_softmax(x, axis=1.5)       | mg.softmax(x, axis='a')
mg.tanh({})     | mg.sigmoid(object())              | mg.relu(b'a')
mg.softplus(np.array(['a']))      | mg.sin(np.array([None]))        | mg.exp({1: 2})
mg.grad(loss, 3)                  | mg.grad(loss, None)             | mg.grad(loss, 'a')
mg.grad(loss, x, grad_output=nan) | loss.backward(grad=nan)
mg.grad(x, x, np.full((3, 4), nan))
mg.gradcheck(3, [x])              | mg.gradcheck(f, 3)              | mg.gradcheck(f, x)
mg.gradcheck(lambda z: 3, [x])    | mg.gradcheck(lambda z: None, [x])
mg.gradcheck(f, [])               | mg.gradcheck(f, None)
mg.gradcheck(f, [i])
mg.gradcheck(f, [x], order='a')   | mg.gradcheck(lambda a, b: a, [x])
mg.scope([])    | mg.scope(None)  | mg.scope(3)
mg.load(None)   | mg.load(3)      | mg.load([])     | mg.load('a\\0b')
mg.save(d + '/a\\0b', {'a': x})   | mg.save(d + '/\\ud800', {'a': x})
mg.save(b'a', None)               | mg.save(None, {'a': x})
mg.save(3, {'a': x})
sgd.load_state_dict(None)         | sgd.load_state_dict(3)
sgd.load_state_dict('a')
sgd.load_state_dict([1])
sgd.load_state_dict({**sgd.state_dict(), 'lr': None})
sgd.load_state_dict({**sgd.state_dict(), 'lr': nan})
sgd.load_state_dict({**sgd.state_dict(), '0.step': -3})
sgd.load_state_dict({**sgd.state_dict(), '0.step': None})
sgd.load_state_dict({**sgd.state_dict(), '0.step': nan})
sgd.load_state_dict({**sgd.state_dict(), '0.velocity': np.full((3, 4), 'a')})
adam.load_state_dict({**adam.state_dict(), 'betas': np.array([None, None])})
lin.load_state_dict(None)         | lin.load_state_dict(3)
lin.load_state_dict([1])
mg.clip_grad_norm_([x], 'a')      | mg.clip_grad_norm_([x], None)
mg.clip_grad_norm_([x], 1, norm_type='a')           | mg.clip_grad_value_([x], None)
mg.nn.Dropout('a')                | mg.nn.Dropout(None)
mg.diagnose(3)  | mg.diagnose(x.data)               | mg.diagnose(None)
mg.data.read_text(None)           | mg.data.read_text(3)
"""
LINES = """
x.requires_grad = 'no'
x.data = [[1], [2, 3]]
x.data = None
x.data = masked
x.data += 'a'
x.data += np.zeros((9, 9))
x.data -= None
del x[0]
x //= 2
with mg.no_grad(): x[0] = [[1], [2, 3]]
with mg.no_grad(): x %= 2
"""
USES = [
    use.strip()
    for line in WRONG.strip().split("\n")
    for use in line.replace("x | x ", "x ¦ x ").split(" | ")
]
USES = [use.replace("¦", "|") for use in USES if use] + LINES.strip().split("\n")


@pytest.mark.parametrize("use", USES)
def test_it_is_an_error_of_ours(use, tmp_path):
    with pytest.raises(MinigradError) as caught:
        exec(use, Space(tmp_path))
    assert caught.value.hint and caught.value.expect and caught.value.actual
    assert list(tmp_path.iterdir()) == []


MORE = Path(__file__).with_name("wrong_uses.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("part", range(8))
@pytest.mark.filterwarnings("ignore::minigrad.engine.errors.MinigradWarning")
def test_many_more(part, tmp_path, monkeypatch):
    """Each in words of ours, with what was expected, what came and what to do."""
    monkeypatch.chdir(tmp_path)
    found = []
    for use in MORE[part::8]:
        if "interop" in use and find_spec("onnx") is None:
            continue
        space = WithNetwork(tmp_path)
        try:
            exec(use, space)
            found.append(f"{use}: taken")
        except MinigradError as error:
            if not (error.hint and error.expect and error.actual):
                found.append(f"{use}: {error}")
        except Exception as error:
            found.append(f"{use}: {error!r}")
    assert found == []
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_is_refused_changes_nothing(tmp_path):
    sgd = Space(tmp_path)["sgd"]
    before = sgd.state_dict()
    with pytest.raises(MinigradError, match="nothing was loaded"):
        sgd.load_state_dict({**before, "lr": 3.0, "0.step": -1})
    after = sgd.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_what_the_hints_say_works():
    x = mg.tensor([1.0, -2.5, 7.0], requires_grad=True)
    rest = x - 2.0 * np.floor(x / 2.0)
    np.testing.assert_allclose(rest.data, x.data % 2.0)
    np.testing.assert_array_equal(mg.grad(rest.sum(), x)[0].data, 1.0)
    inside = np.logical_and(x > 0, x < 5)
    assert inside.tolist() == [True, False, False]
    assert (+x) is x


def test_flags_are_true_or_false_of_any_kind():
    x = mg.tensor(np.ones((2, 2)), requires_grad=np.bool_(True))
    assert x.requires_grad is True
    assert x.sum(axis=0, keepdims=1).shape == (1, 2)
    assert x.sum(axis=0, keepdims=np.False_).shape == (2,)
