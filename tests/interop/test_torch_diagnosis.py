"""mg.interop.diagnose answers for networks of PyTorch."""

import numpy as np
import pytest
from minigrad.errors import ArgumentError, DTypeError

import minigrad as mg

torch = pytest.importorskip("torch", reason="needs torch")


class Reader(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.LSTM(2, 3)
        self.second = torch.nn.GRU(3, 3)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_it_says_what_mg_diagnose_says(kind, rng):
    torch.manual_seed(0)
    module = getattr(torch.nn, kind)(2, 3)
    x = torch.tensor(rng.normal(size=(20, 4, 2)).astype("float32"))
    target = rng.normal(size=(4, 3)).astype("float32")
    before = {k: v.clone() for k, v in module.state_dict().items()}

    def loss(out):
        return mg.losses.mse(out[-1], target)

    found = mg.interop.diagnose(module, x, loss)
    model = mg.interop.from_torch(module)
    output, _ = model(mg.tensor(x.numpy(), requires_grad=True, name="x"))
    wanted = mg.diagnose(loss(output), model.parameters())
    assert type(found) is type(wanted)
    assert list(map(str, found.warnings)) == list(map(str, wanted.warnings))
    assert np.allclose(found.readings[0].norms, wanted.readings[0].norms)
    assert all(torch.equal(module.state_dict()[k], v) for k, v in before.items())


def test_a_module_that_holds_one_or_several(rng):
    x = rng.normal(size=(5, 2, 3)).astype("float32")

    def loss(out):
        return (out * out).mean()

    with pytest.raises(ArgumentError, match="'first', 'second'"):
        mg.interop.diagnose(Reader(), x, loss)
    assert mg.interop.diagnose(Reader(), x, loss, layer="second").readings
    with pytest.raises(ArgumentError, match="no recurrent layer"):
        mg.interop.diagnose(torch.nn.Linear(2, 3), x, loss)
    with pytest.raises(DTypeError, match="is no tensor"):
        mg.interop.diagnose(torch.nn.GRU(3, 2), x, lambda out: 3.0)


def test_a_loss_in_pytorch_gives_the_same_readings(rng):
    module = torch.nn.GRU(2, 3, batch_first=True)
    head = torch.nn.Linear(3, 1)
    x = torch.tensor(rng.normal(size=(4, 9, 2)).astype("float32"))
    target = torch.zeros(4, 1)

    def loss(out):
        return torch.nn.functional.mse_loss(head(out[:, -1]), target)

    def same(out):
        answer = out[:, -1] @ head.weight.detach().numpy().T
        return mg.losses.mse(answer + head.bias.detach().numpy(), target.numpy())

    found, wanted = (mg.interop.diagnose(module, x, f) for f in (loss, same))
    assert np.allclose(found.readings[0].norms, wanted.readings[0].norms)
    assert found.readings[0].read == wanted.readings[0].read == [8]
    assert all(p.grad is None for p in [*module.parameters(), *head.parameters()])
    with pytest.raises(TypeError, match="target"):  # its own mistake, as it was
        mg.interop.diagnose(module, x, mg.losses.mse)


def test_a_packed_sequence(rng):
    module = torch.nn.LSTM(2, 3)
    x = torch.tensor(rng.normal(size=(6, 3, 2)).astype("float32"))
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, [2, 6, 4], enforce_sorted=False)

    def loss(out):
        return (out * out).mean()

    found = mg.interop.diagnose(module, packed, loss)
    output, _ = mg.interop.from_torch(module)(mg.tensor(x.numpy()), lengths=[2, 6, 4])
    wanted = mg.diagnose(loss(output))
    assert np.allclose(found.readings[0].norms, wanted.readings[0].norms)
