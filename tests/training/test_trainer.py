"""The training loop: that it trains, stops, tells, and can be left at any moment."""

import math
import signal
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DataError,
    DTypeError,
    NonFiniteError,
)
from minigrad.models import LSTM
from minigrad.training import (
    Plateau,
    Stopped,
    Trainer,
    cosine,
    generators,
    read_run,
    warmup,
)
from minigrad.training.randomness import found_generators

X = np.random.default_rng(1).random((40, 5, 2)).astype("float32")
Y = X.sum((1, 2))


class Regressor(mg.nn.Module):
    """An LSTM, dropout and a linear output."""

    def __init__(self, weights, noise, size=6):
        self.recurrent = LSTM(2, size, rng=weights, dtype="float32")
        self.drop = mg.nn.Dropout(0.3, rng=noise)
        self.out = mg.nn.Linear(size, 1, rng=weights, dtype="float32")

    def forward(self, x, state=None):
        output, state = self.recurrent(x, state)
        return self.out(self.drop(output[-1])).squeeze(-1), state


def loss_of(model, batch):
    x, y = batch
    return mg.losses.mse(model(x.swapaxes(0, 1))[0], y)


def carried_loss(model, batch, state):
    x, y = batch
    prediction, state = model(x.swapaxes(0, 1), state)
    return mg.losses.mse(prediction, y), state


def validate(model):
    return {"mse": loss_of(model, (X, Y)).item()}


def build(path=None, *, seed=0, size=6, **options):
    """A run of 3 epochs of 5 batches."""
    weights, order, noise = generators(seed, "weights", "order", "noise")
    model = Regressor(weights, noise, size)
    batches = mg.data.batches(X, Y, batch_size=8, rng=order)
    optimizer = mg.optim.AdamW(model.parameters(), lr=3e-2)
    settings = {
        "epochs": 3,
        "validate": validate,
        "clip_norm": 2.0,
        "schedule": warmup(3, cosine(15)),
        "checkpoint": path,
        "save_seconds": 0,
    }
    if options.get("carry"):
        return Trainer(model, optimizer, carried_loss, batches, **settings | options)
    return Trainer(model, optimizer, loss_of, batches, **settings | options)


def bits(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


class Crash:
    """A callback that raises after some step, as a power cut would."""

    def __init__(self, step):
        self.step = step

    def on_batch(self, report):
        if report.step == self.step:
            raise ZeroDivisionError


# learning


def test_it_learns_and_reports_every_epoch():
    trainer = build(epochs=15, schedule=None)
    history = trainer.fit()
    assert [line.epoch for line in history] == list(range(15))
    assert history[-1].step == 15 * 5
    assert history[-1].metrics["mse"] < 0.5 * history[0].metrics["mse"]
    assert not trainer.model.training


def test_the_same_seed_gives_the_same_bits_and_another_others():
    one, two, other = build(), build(), build(seed=1)
    assert one.fit() == two.fit()
    other.fit()
    assert bits(one.model) == bits(two.model)
    assert bits(one.model) != bits(other.model)


def test_one_step_is_that_of_the_loop_by_hand():
    trainer = build(epochs=1, schedule=None, validate=None)
    trainer.fit()
    weights, order, noise = generators(0, "weights", "order", "noise")
    model = Regressor(weights, noise)
    optimizer = mg.optim.AdamW(model.parameters(), lr=3e-2)
    for batch in mg.data.batches(X, Y, batch_size=8, rng=order):
        optimizer.zero_grad()
        loss_of(model, batch).backward()
        mg.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
    assert bits(trainer.model) == bits(model)


def test_what_callbacks_are_told():
    told = SimpleNamespace(batches=[], epochs=[])
    seen = []

    def on_batch(report):
        seen.append(report.loss.node is not None)
        told.batches.append((report.epoch, report.batch, report.step, report.batches))
        assert report.norm > 0
        assert report.clipped == (report.norm > 2.0)
        assert report.lr == trainer.optimizer.lr
        assert all(p.grad is not None for p in report.model.parameters())

    told.on_batch, told.on_epoch = on_batch, told.epochs.append
    trainer = build(callbacks=[told, object()])
    history = trainer.fit()
    assert told.batches == [
        (e, b + 1, 5 * e + b + 1, 5) for e in (0, 1, 2) for b in range(5)
    ]
    assert all(seen)
    assert [r.metrics for r in told.epochs] == [line.metrics for line in history]
    assert [r.loss for r in told.epochs] == [line.loss for line in history]


def test_the_report_of_clipping():
    history = build(clip_norm=1e-3).fit()
    assert all(line.clipped == 1.0 for line in history)
    assert all(line.largest_norm >= line.norm > 1e-3 for line in history)
    assert all(line.clipped == 0.0 for line in build(clip_norm=None).fit())


def test_the_schedule_multiplies_the_learning_rate():
    rates = []
    listener = SimpleNamespace(on_batch=lambda report: rates.append(report.lr))
    schedule = warmup(3, cosine(15))
    build(schedule=schedule, callbacks=[listener]).fit()
    assert rates == [3e-2 * schedule(step) for step in range(15)]


def test_early_stopping_puts_the_best_weights_back():
    figures = iter([3.0, 1.0, math.nan, 2.0, 0.5])
    kept = []

    def judge(model):
        kept.append(bits(model))
        return {"other": 0.0, "figure": next(figures)}

    trainer = build(epochs=9, validate=judge, monitor="figure", patience=2)
    history = trainer.fit()
    assert [line.best for line in history] == [True, True, False, False]
    assert bits(trainer.model) == kept[1]


def test_higher_can_be_better():
    figures = iter([1.0, 3.0, 2.0])
    trainer = build(validate=lambda model: {"f": next(figures)}, better="higher")
    assert [line.best for line in trainer.fit()] == [True, True, False]


def test_validation_has_no_dropout_and_records_nothing():
    def judge(model):
        assert not model.drop.training
        assert mg.exp(next(iter(model.parameters()))).node is None
        return {"f": 0.0}

    trainer = build(validate=judge)
    trainer.fit()


# truncated backpropagation through time


def test_carried_state_continues_and_its_gradient_does_not():
    states = []

    def loss(model, batch, state):
        states.append(state)
        return carried_loss(model, batch, state)

    trainer = build(carry=True, validate=None)
    trainer.loss = loss
    trainer.fit()
    for number, state in enumerate(states):
        if number % 5 == 0:  # each epoch starts anew
            assert state is None
        else:
            assert all(part.node is None for part in state)
            assert any(part.data.any() for part in state)


# leaving and going on


@pytest.mark.parametrize("carry", [False, True], ids=["batches", "carried"])
@pytest.mark.parametrize("step", [1, 2, 5, 6, 9, 15])
def test_a_resumed_run_gives_the_bits_of_one_that_was_not(step, carry, tmp_path):
    path = tmp_path / "run.safetensors"
    whole = build(carry=carry)
    history = whole.fit()
    with pytest.raises(ZeroDivisionError):
        build(path, carry=carry, callbacks=[Crash(step)]).fit()
    resumed = build(path, carry=carry, seed=7, callbacks=[Crash(0)])
    if step > 1:  # the crash comes before the batch's own checkpoint
        assert read_run(path).progress["step"] == step - 1
        resumed.load()
    else:
        assert not path.exists()
        resumed = build(path, carry=carry)
    assert resumed.fit() == history
    assert bits(resumed.model) == bits(whole.model)
    assert resumed.optimizer.state_dict().keys() == whole.optimizer.state_dict().keys()


def test_every_generator_goes_on_where_it_was(tmp_path):
    path = tmp_path / "run.safetensors"

    def noisy(model, batch):
        return loss_of(model, batch) + float(mg.random.generator().random())

    def run(crash=None, load=False):
        if not load:
            mg.manual_seed(3)
        trainer = build(path, callbacks=[Crash(crash)])
        trainer.loss = noisy
        if load:
            trainer.load()
        return trainer.fit()

    whole = run()
    with pytest.raises(ZeroDivisionError):
        run(crash=8)
    mg.manual_seed(99)
    assert run(load=True) == whole


def test_what_callbacks_keep_is_saved_and_given_back(tmp_path):
    path = tmp_path / "run.safetensors"

    class Counter:
        def __init__(self, seen=0):
            self.seen = seen

        def on_batch(self, report):
            self.seen += 1

        def state_dict(self):
            return {"seen": self.seen}

        def load_state_dict(self, state):
            self.seen = state["seen"]

    with pytest.raises(ZeroDivisionError):
        build(path, callbacks=[Counter(), Crash(7), Counter(100)]).fit()
    one, two, new = Counter(), Counter(), Counter()
    resumed = build(path, callbacks=[one, two, new])
    resumed.load()
    assert (one.seen, two.seen, new.seen) == (6, 106, 0)
    resumed.fit()
    assert (one.seen, two.seen, new.seen) == (15, 115, 9)


def test_a_finished_run_stays_as_it_is_and_can_be_extended(tmp_path):
    path = tmp_path / "run.safetensors"
    history = build(path).fit()
    again = build(path)
    again.load()
    assert again.done
    assert again.fit() == history
    longer = build(path, epochs=5)
    longer.load()
    assert longer.fit() == build(epochs=5).fit()


def test_early_stopping_and_plateau_are_resumed(tmp_path):
    path = tmp_path / "run.safetensors"

    def run(**options):
        falling = Plateau("mse", patience=0, factor=0.3)
        options = {"epochs": 40, "patience": 3, **options}
        trainer = build(path, schedule=falling, **options)
        trainer.base_lr = 0.3
        return trainer

    whole = run()
    history = whole.fit()
    assert len(history) < 40
    part = run(callbacks=[Crash(5 * (len(history) - 2) + 2)])
    with pytest.raises(ZeroDivisionError):
        part.fit()
    resumed = run(callbacks=[Crash(0)])
    resumed.load()
    assert resumed.fit() == history
    assert bits(resumed.model) == bits(whole.model)


def test_ctrl_c_finishes_the_batch_saves_and_says_where(tmp_path):
    path = tmp_path / "run.safetensors"
    press = SimpleNamespace(
        on_batch=lambda r: r.step == 7 and signal.raise_signal(signal.SIGINT)
    )
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped) as caught:
        build(path, callbacks=[press], save_seconds=1e9).fit()
    assert caught.value.path == path
    assert signal.getsignal(signal.SIGINT) is before
    assert read_run(path).progress["step"] == 7
    resumed = build(path, callbacks=[Crash(0)])
    resumed.load()
    assert resumed.fit() == build().fit()


def test_where_ctrl_c_is_ignored_it_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    press = SimpleNamespace(on_batch=lambda r: signal.raise_signal(signal.SIGINT))
    assert len(build(callbacks=[press]).fit()) == 3
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("step", [1, 4, 11])
def test_batches_by_length_are_resumed_too(step, tmp_path):
    path = tmp_path / "run.safetensors"
    lengths = np.random.default_rng(2).integers(1, 9, len(X))

    def run(crash=0, seed=0):
        trainer = build(path, seed=seed, callbacks=[Crash(crash)])
        order = np.random.default_rng(seed)
        batches = mg.data.batches(X, Y, batch_size=8, lengths=lengths, rng=order)
        trainer.batches = batches
        trainer.generators = found_generators(model=trainer.model, batches=batches)
        return trainer

    whole = run()
    history = whole.fit()
    with pytest.raises(ZeroDivisionError):
        run(crash=step + 1).fit()
    resumed = run(seed=5)
    resumed.load()
    assert resumed.step == step
    assert resumed.fit() == history
    assert bits(resumed.model) == bits(whole.model)


def test_a_second_ctrl_c_interrupts_at_once(tmp_path):
    def twice(report):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        build(callbacks=[SimpleNamespace(on_batch=twice)]).fit()
    assert not isinstance(caught.value, Stopped)


# what does not fit


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 7}, "differs"),
        ({"schedule": None, "callbacks": []}, None),
        ({"callbacks": [Crash(0), object()]}, None),
        ({"schedule": Plateau("mse")}, "another kind of run"),
    ],
)
def test_another_run_s_checkpoint_is_refused_and_changes_nothing(
    change, message, tmp_path
):
    path = tmp_path / "run.safetensors"
    build(path).fit()
    other = build(path, **change)
    before = bits(other.model)
    if message is None:
        other.load()
        return
    with pytest.raises(CheckpointError, match=message):
        other.load()
    assert bits(other.model) == before
    assert other.step == 0


def test_another_optimiser_is_refused_and_changes_nothing(tmp_path):
    path = tmp_path / "run.safetensors"
    build(path).fit()
    other = build(path)
    other.optimizer = mg.optim.SGD(other.model.parameters(), lr=0.1)
    before = bits(other.model)
    with pytest.raises(CheckpointError, match="SGD"):
        other.load()
    assert bits(other.model) == before


HOSTILE = [
    {"carried": ["tensor"] * 3},
    {"carried": {"a": 1}},
    {"history": [3]},
    {"sums": None},
    {"epoch": "one"},
    {"random": None},
    {"random": {"global": 3}},
    {"callbacks": 3},
]


@pytest.mark.parametrize("change", HOSTILE)
def test_words_that_make_no_sense_change_nothing(change, tmp_path):
    path = tmp_path / "run.safetensors"
    build(path).fit()
    run = read_run(path)
    other = build(path)
    before = bits(other.model), other.step
    with pytest.raises(CheckpointError):
        other.load(run._replace(progress=run.progress | change))
    assert (bits(other.model), other.step) == before


def test_best_weights_of_another_model_are_noticed_at_once(tmp_path):
    path = tmp_path / "run.safetensors"
    build(path).fit()
    run = read_run(path)
    run.arrays["best.out.bias"] = np.zeros(2, "float32")
    other = build(path)
    before = bits(other.model)
    with pytest.raises(CheckpointError, match=r"out\.bias"):
        other.load(run)
    assert bits(other.model) == before


def test_fewer_batches_than_before_are_noticed(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(ZeroDivisionError):
        build(path, callbacks=[Crash(5)]).fit()
    other = build(path, callbacks=[Crash(0)])
    other.batches = mg.data.batches(X[:9], Y[:9], batch_size=8, rng=0)
    other.generators = found_generators(model=other.model, batches=other.batches)
    other.load()
    with pytest.raises(CheckpointError, match="shorter"):
        other.fit()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs=-1"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"validate": None, "patience": 2}, "early stopping"),
        ({"patience": 0}, "patience=0"),
        ({"better": "more"}, "better='more'"),
        ({"monitor": "nothing"}, "monitor='nothing'"),
        ({"clip_norm": -1.0}, "clip_norm=-1"),
        ({"clip_norm": math.nan}, "clip_norm=nan"),
        ({"clip_norm": "1"}, "clip_norm='1'"),
        ({"epochs": True}, "epochs=True"),
        ({"patience": "2"}, "patience='2'"),
        ({"schedule": 3}, "schedule=3"),
        ({"schedule": lambda step: None}, "schedule gave None"),
        ({"schedule": Plateau("nothing")}, "metric='nothing'"),
        ({"validate": lambda model: [0.5]}, r"validate\(model\) gave"),
        ({"validate": lambda model: {"loss": "low"}}, r"validate\(model\) gave"),
        ({"validate": 3}, "validate=3"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ArgumentError, match=message):
        build(**options).fit()


@pytest.mark.parametrize(
    ("loss", "carry", "message"),
    [
        (lambda model, batch: 1.0, False, "float"),
        (lambda model, batch: mg.tensor([1.0, 2.0]), False, r"\(2,\) float64"),
        (lambda model, batch, state: mg.tensor(1.0), True, "gave something else"),
        (lambda model, batch, state: (mg.tensor(1.0), 3), True, "has a int in it"),
        ("mse", False, "loss='mse'"),
    ],
)
def test_losses_that_are_none(loss, carry, message):
    model = mg.nn.Linear(1, 1)
    optimizer = mg.optim.SGD(model.parameters())
    with pytest.raises(ArgumentError, match=message):
        Trainer(model, optimizer, loss, [X], epochs=1, carry=carry).fit()


def test_words_that_are_no_json_are_named(tmp_path):
    trainer = build(tmp_path / "run.safetensors", about={"model": object()})
    with pytest.raises(DTypeError, match=r"about=[\s\S]*object"):
        trainer.fit()
    assert not list(tmp_path.iterdir())


def test_batches_that_are_used_up():
    model = mg.nn.Linear(1, 1)
    optimizer = mg.optim.SGD(model.parameters())
    with pytest.raises(ArgumentError, match="used up"):
        Trainer(model, optimizer, loss_of, iter([1]), epochs=1)
    with pytest.raises(DataError, match="has no batches"):
        Trainer(model, optimizer, loss_of, [], epochs=1).fit()


def test_a_loss_that_is_not_finite_names_the_step(tmp_path):
    path = tmp_path / "run.safetensors"

    def broken(model, batch):
        loss = loss_of(model, batch)
        return loss * math.nan if trainer.step == 7 else loss

    trainer = build(path)
    trainer.loss = broken
    with pytest.raises(NonFiniteError, match="the loss is nan at step 7"):
        trainer.fit()
    assert read_run(path).progress["step"] == 7
