# %% [markdown]
# # 9. The GRU, and how it compares with the LSTM
#
# A GRU has one state instead of two, and two gates instead of three. It comes in four
# conventions that you should know. Then we compare LSTM and GRU: their size, their
# speed and how well they learn.
#
# *Time to run: about 20 s.*
#
# **You will be able to**
#
# - write the GRU's equations, and say which convention a text or a library uses;
# - turn one convention into another where this is possible, and say where it is not;
# - compare networks fairly, and show how much the answer varies from run to run.
#
# You need: lesson 6. Lesson 8 helps.

# %%
import textwrap
import time

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN, GRUCell

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = {"RNN": ORANGE, "LSTM": BLUE, "GRU": GREEN}

# %% [markdown]
# ## The equations
#
# $$
# \begin{aligned}
# r &= \sigma(x W_{xr} + h W_{hr} + b_r) && \text{reset gate} \\
# z &= \sigma(x W_{xz} + h W_{hz} + b_z) && \text{update gate} \\
# n &= \tanh(x W_{xn} + b_n + r \ast (h W_{hn} + b_h)) && \text{candidate} \\
# h' &= z \ast h + (1 - z) \ast n && \text{the new state}
# \end{aligned}
# $$
#
# There is no separate memory: $h$ is both the memory and the output. The new $h$ is a
# weighted mean of the old $h$ and the candidate.

# %%
cell = GRUCell(input_size=2, hidden_size=3, rng=0)
with mg.time_step(0):
    h = cell(mg.tensor([[1.0, -1.0]], name="x"), cell.zero_state(1))
mg.draw(h.sum(), level="op")

# %% [markdown]
# ## Two questions, four conventions
#
# **Does z keep the old state, or does it take the new one?** In the equations above,
# z = 1 keeps the old state. PyTorch, Keras and the paper of Cho and others do the same.
# In the paper of Chung and others, and in some well-known articles, z = 1 takes the new
# state: $h' = (1 - z) \ast h + z \ast n$.
#
# **Is the reset gate applied after the product with the weights, or before it?** In the
# equations above it is applied after the product $h W_{hn}$, as in PyTorch and cuDNN.
# In the papers it is applied before the product:
# $\tanh(x W_{xn} + b_n + (r \ast h) W_{hn})$.
#
# The first difference is only a matter of names. Because $1 - \sigma(a) = \sigma(-a)$,
# we can turn one into the other by changing the sign of the update gate's weights:

# %%
x = np.random.default_rng(0).standard_normal((20, 4, 3))
keep, take = GRU(3, 5, update="keep", rng=0), GRU(3, 5, update="take", rng=0)
source, target = keep.cells[0], take.cells[0]
target.b_h.data = source.b_h.data
for name in ("W_x", "W_h", "b"):
    array = np.array(getattr(source, name).data)
    array[..., source.columns("z")] *= -1
    getattr(target, name).data = array
difference = np.abs(keep(x)[0].data - take(x)[0].data).max()
print("keep and take differ by", difference)
assert difference < 1e-14

# %% [markdown]
# The second difference is a real one. With the same weights, the two give different
# answers, and in general no change of the weights makes them equal: $r \ast (h W)$
# makes the outputs of the product smaller, $(r \ast h) W$ makes its inputs smaller.
# They are the same only if the reset gate is fully open.

# %%
after, before = GRU(3, 5, reset="after", rng=0), GRU(3, 5, reset="before", rng=0)
for name in ("W_x", "W_h", "b"):
    getattr(before.cells[0], name).data = getattr(after.cells[0], name).data
after.cells[0].b_h.data = np.zeros(5)
apart = np.abs(after(x)[0].data - before(x)[0].data).max()

for net in (after, before):
    b = np.array(net.cells[0].b.data)
    b[net.cells[0].columns("r")] = 1000.0  # r = 1
    net.cells[0].b.data = b
together = np.abs(after(x)[0].data - before(x)[0].data).max()
print(f"same weights: differ by {apart:.3f}; with r = 1: by {together:.1e}")
assert apart > 0.01 and together < 1e-14

# %% [markdown]
# ## Keeping the state
#
# As with the LSTM's forget gate, z = 1 keeps the state to the last bit, and its
# gradient as well. But in the LSTM one gate says how much is kept, and another gate
# says how much is let in. In the GRU these two amounts always add up to one.

# %%
keeper = GRU(3, 5, rng=0)
b = np.array(keeper.cells[0].b.data)
b[keeper.cells[0].columns("z")] = 1000.0
keeper.cells[0].b.data = b
h0 = mg.tensor(np.arange(5.0).reshape(1, 1, 5), requires_grad=True)
out, h = keeper(x[:, :1], h0)
(g,) = mg.grad(h.sum(), [h0])
assert (h.data == h0.data).all() and (g.data == 1).all()

# %% [markdown]
# How near to 1 must z be? `mg.explore` runs a function of your own for every
# combination of its values. This one adds a bias to the update gate. It looks at what
# comes back over T steps, at the gate, and at the state.


# %%
def gru_with_bias(update_bias=0.0, T=20):
    """A GRU of 5 units whose update gate has this bias."""
    net = GRU(3, 5, rng=0)
    b = np.array(net.cells[0].b.data)
    b[net.cells[0].columns("z")] += update_bias
    net.cells[0].b.data = b
    trace = net.trace(np.random.default_rng(1).standard_normal((T, 1, 3)))
    norms = mg.jacobian_products(trace).norms()[::-1]
    return {
        "gradient at the first step": norms[-1],
        "gradient by distance": norms,
        "update gate (mean)": trace["z"].mean(axis=(1, 2)),
        "state, a row for each unit": trace["h"][:, 0].T,
    }


knobs = mg.explore(
    gru_with_bias, update_bias=[-2.0, 0.0, 1.0, 2.0, 4.0, 8.0], T=[5, 20, 50]
)
far = [
    knobs.at(update_bias=bias, T=50)["gradient at the first step"]
    for bias in (0.0, 4.0, 8.0)
]
print("left after 50 steps:", [float(f"{g:.2g}") for g in far])
assert far[0] < 1e-4 and far[2] > 0.9

# %%
knobs

# %% [markdown]
# ## GRU and LSTM: parameters
#
# The GRU has three blocks of weights, the LSTM has four. If the reset gate comes after
# the product, the GRU has one more bias.

# %%
for width in (8, 32, 128):
    sizes = {
        kind.__name__: sum(p.size for p in kind(width, width, rng=0).parameters())
        for kind in (RNN, LSTM, GRU)
    }
    print(width, sizes, f"GRU / LSTM = {sizes['GRU'] / sizes['LSTM']:.3f}")
    assert sizes["LSTM"] == 4 * sizes["RNN"]
    assert sizes["GRU"] == 3 * sizes["RNN"] + width

# %% [markdown]
# ## Speed
#
# On a busy computer, measured times are not reliable, and most of them are too long. So
# we run the three networks in turn, several times, and take the best time of each. We
# assert nothing here. The numbers are those of the computer that ran this lesson.

# %%
sequence = mg.tensor(np.random.default_rng(0).standard_normal((40, 16, 32)))
nets = {kind.__name__: kind(32, 64, rng=0) for kind in (RNN, LSTM, GRU)}
best = dict.fromkeys(nets, np.inf)
for _ in range(6):
    for name, net in nets.items():
        began = time.perf_counter()
        mg.grad(net(sequence)[0].sum(), net.parameters())
        best[name] = min(best[name], time.perf_counter() - began)
for name, seconds in best.items():
    print(f"{name:4} {1000 * seconds:6.1f} ms for a gradient over 40 steps")

# %% [markdown]
# ## Quality
#
# "Ram, who is walking in a green park, is thirsty": the verb at the end belongs to the
# word at the beginning, whatever stands in between. So our sentences begin with a
# subject in the singular or the plural. Then come one to three clauses. They contain
# other nouns, but say nothing about the number of the subject. At the end the network
# has to choose: "is" or "are"?
#
# All three networks have nearly the same number of *weights*. Each trains for the same
# number of steps, from two random starts. In the test, subjects and clauses come in
# combinations that the networks have not seen. A network that guesses is right half of
# the time.

# %%
SUBJECTS = [
    "ram",
    "the girl",
    "a dog",
    "the boys",
    "the cats",
    "two men",
]  # half plural
CLAUSES = [
    "who walked in a green park",
    "who walked in the parks with friends",
    "who saw the birds in a tree",
    "who saw a bird in the trees",
    "who had brothers",
    "who met the girls with a dog in the park",
]


def sentence(rng, held_out):
    """Words, and 1 for plural; the first clause decides: training or test."""
    which, first = rng.integers(6), rng.integers(6)
    while ((which + first) % 3 == 0) != held_out:
        which, first = rng.integers(6), rng.integers(6)
    more = rng.integers(0, 6, rng.integers(0, 3))
    clauses = " and ".join([CLAUSES[k] for k in (first, *more)])
    return f"{SUBJECTS[which]} {clauses}".split(), float(which >= 3)


vocabulary = mg.data.Vocabulary([*SUBJECTS, *CLAUSES, "and"])


def batch(rng, size, held_out=False):
    pairs = [sentence(rng, held_out) for _ in range(size)]
    encoded = [vocabulary.encode(words) for words, _ in pairs]
    tokens, mask = mg.data.pad_sequences(encoded, padding="post", return_mask=True)
    return tokens.T, mask, np.array([plural for _, plural in pairs])


words, plural = sentence(np.random.default_rng(1), held_out=False)
print(textwrap.fill(f"{' '.join(words)} ... {('is', 'are')[int(plural)]}", 72))


# %%
class Agreement(mg.nn.Module):
    """Reads the words before the verb; a positive score means "are"."""

    def __init__(self, kind, hidden, seed):
        self.table = mg.nn.Embedding(len(vocabulary), 8, rng=seed)
        self.net = kind(8, hidden, rng=seed)
        self.head = mg.nn.Linear(hidden, 1, rng=seed)

    def forward(self, tokens, mask):
        _, state = self.net(self.table(tokens), mask=mask)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h[0])[:, 0]


WIDTHS = {RNN: 36, LSTM: 16, GRU: 19}  # nearly the same number of weights
EVERY = 20


def train(kind, seed, steps=100):
    """Accuracy on new sentences, measured every `EVERY` steps."""
    rng = np.random.default_rng(seed)
    model = Agreement(kind, WIDTHS[kind], seed)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    test = batch(np.random.default_rng(99), 200, held_out=True)
    found = []
    for step in range(steps):
        tokens, mask, plural = batch(rng, 24)
        loss = mg.losses.binary_cross_entropy(model(tokens, mask), plural)
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % EVERY == EVERY - 1:
            with mg.no_grad():
                answers = model(*test[:2]).data > 0
            found.append((answers == test[2]).mean())
    return found


for kind, width in WIDTHS.items():
    print(
        kind.__name__,
        sum(p.size for p in kind(8, width, rng=0).parameters()),
        "weights",
    )

curves = {
    kind.__name__: np.array([train(kind, seed) for seed in range(2)]) for kind in WIDTHS
}
for name, found in curves.items():
    print(
        f"{name:4} at the end",
        found[:, -1].round(3),
        " during training",
        found.mean(axis=0).round(2),
    )

# %%
figure, axes = plt.subplots(figsize=(6.8, 3.6), layout="constrained")
at = np.arange(1, len(curves["GRU"][0]) + 1) * EVERY
for name, found in curves.items():
    for one in found:
        axes.plot(at, one, color=COLORS[name], alpha=0.35, linewidth=1)
    axes.plot(at, found.mean(axis=0), "o-", color=COLORS[name], label=name, linewidth=2)
axes.axhline(0.5, color="gray", linestyle="--")
axes.text(at[-1], 0.51, "guessing", color="gray", ha="right")
axes.set_xlabel("training step")
axes.set_ylabel("share right on new sentences")
axes.set_title("“is” or “are” after clauses (thin: two random starts each)")
axes.legend()
axes.grid(alpha=0.3)

reached = {name: found.mean(axis=0) for name, found in curves.items()}
assert curves["LSTM"][:, -1].min() > 0.95 and curves["GRU"][:, -1].min() > 0.95
assert reached["RNN"][-2] < min(reached["GRU"][-2], reached["LSTM"][-2]) - 0.1

# %% [markdown]
# On this task, with so few training steps, both gated networks learn to choose the
# right verb. The plain RNN needs longer, or does not learn it at all. The LSTM learns
# faster than the GRU. But do not conclude that LSTMs are better before you have tried
# exercise 2. There, one number that is set at the start makes up most of the
# difference.
#
# The literature says much the same. Chung and others found that both are far better
# than the plain RNN, and that neither is better than the other on all data. Jozefowicz
# and others found that the GRU is better than an LSTM without a forget bias of 1, and
# about as good as an LSTM with it.
#
# ## Try this
#
# - Train longer, with `steps=300`. Does the RNN learn it in the end?
# - Make the clauses longer, then shorter. At which length do the three networks begin
#   to differ?
# - Replace `GRU` by a GRU with `reset="before"`. Does it matter here?
#
# ## Exercises
#
# 1. The state of a GRU is a weighted mean. Show that a state that starts in the range
#    $[-1, 1]$ never leaves this range, whatever the weights are. Show that the memory
#    of an LSTM can leave it.
# 2. Let the update gate start with a bias of 2, so that it keeps the state. Does the
#    GRU learn faster than before?
# 3. How wide can a GRU be if it may have no more weights than an LSTM of width 64 with
#    32 inputs? Check your formula with `parameters()`.

# %% [markdown]
# ### Solution 1
#
# If $h$ and $n$ are both between -1 and 1, then so is their weighted mean. An LSTM with
# all gates open adds 1 to its memory at every step.

# %%
for seed in range(5):
    wild = GRU(3, 5, rng=seed)
    for p in wild.parameters():
        p.data = 20 * p.data
    assert np.abs(wild(x)[0].data).max() <= 1

lstm = LSTM(3, 5, rng=0)
b = np.array(lstm.cells[0].b.data)
b[:15] = 1000.0  # i, f and g wide open
lstm.cells[0].b.data = b
assert lstm.trace(x)["c"].max() == 20.0

# %% [markdown]
# ### Solution 2


# %%
class KeepingGRU(GRU):
    """A GRU whose update gate starts nearly open, so that it keeps its state."""

    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        b = np.array(self.cells[0].b.data)
        b[self.cells[0].columns("z")] += 2.0
        self.cells[0].b.data = b


WIDTHS[KeepingGRU] = WIDTHS[GRU]
kept = np.array([train(KeepingGRU, seed, steps=60) for seed in range(2)])
early = len(kept[0])
print(
    "with a bias of 2:",
    kept.mean(axis=0).round(2),
    " without:",
    reached["GRU"][:early].round(2),
)
assert kept.mean() > reached["GRU"][:early].mean()

# %% [markdown]
# ### Solution 3
#
# An LSTM has $4 H (D + H + 1)$ weights, a GRU has $3 H (D + H + 1) + H$. Solve the
# quadratic equation for the width, or try one width after the other.

# %%
budget = sum(p.size for p in LSTM(32, 64, rng=0).parameters())
width = max(h for h in range(64, 90) if 3 * h * (32 + h + 1) + h <= budget)
assert sum(p.size for p in GRU(32, width, rng=0).parameters()) <= budget
assert sum(p.size for p in GRU(32, width + 1, rng=0).parameters()) > budget
print("a GRU with no more weights than the LSTM can have a width of", width)

# %% [markdown]
# ## Sources
#
# - K. Cho and others, *Learning phrase representations using RNN encoder-decoder for
#   statistical machine translation*, 2014. https://arxiv.org/abs/1406.1078
# - J. Chung, C. Gulcehre, K. Cho, Y. Bengio, *Empirical evaluation of gated recurrent
#   neural networks on sequence modeling*, 2014. https://arxiv.org/abs/1412.3555
# - R. Jozefowicz, W. Zaremba, I. Sutskever, *An empirical exploration of recurrent
#   network architectures*, 2015.
#
# Next: networks that read in both directions.

# %%
plt.show()  # in a script, this opens all figures in windows
