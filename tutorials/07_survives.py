# %% [markdown]
# # 7. Why the LSTM's gradient survives, and when it does not
#
# The cell state is added to, not squashed: along it the gradient is a product of forget
# gates. That is the whole secret, and also its limit.
#
# *Time to run: about 15 s.*
#
# **You will be able to**
#
# - show that along the cell state alone the product of Jacobians is exactly the product
#   of the forget gates;
# - split a gradient into that path and all others, and say which one carries it;
# - compute a memory's half-life from a bias;
# - name three ways in which an LSTM's gradient vanishes or explodes after all.
#
# You need: lessons 4 and 6.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
STEPS = 50

# %% [markdown]
# ## The straight way
#
# From $c_t = f_t \ast c_{t-1} + i_t \ast g_t$, with the gates held constant:
#
# $$
# \frac{\partial c_t}{\partial c_{t-1}} = f_t
# \qquad \text{so that} \qquad
# \frac{\partial c_T}{\partial c_k} = \prod_{t=k+1}^{T} f_t .
# $$
#
# No matrix, and no derivative of a squashing function. `paths()` of the Jacobian
# products takes this way apart from all the others, which go through the gates and the
# hidden state. Its entries have to be the product of the gates that the trace shows:

# %%
sequence = 0.5 * np.random.default_rng(1).standard_normal((STEPS, 1, 4))
lstm = LSTM(4, 16, rng=0)
trace = lstm.trace(sequence)
paths = mg.jacobian_products(trace).paths()
f = trace["f"][:, 0]  # (T, H)
products = np.array([np.prod(f[k:], axis=0) for k in range(STEPS + 1)])
worst = np.abs(paths.alone / products - 1).max()
print(
    f"prod f and the path through {paths.state} alone differ by {worst:.1e}, relatively"
)
assert worst < 1e-12

# %% [markdown]
# ## Against the others
#
# The same sequence, 16 units each, as they start. The norm of the product of Jacobians,
# from the last step back:

# %%
distance = np.arange(STEPS + 1)
nets = {
    "RNN": (RNN(4, 16, rng=0), ORANGE, "-"),
    "GRU": (GRU(4, 16, rng=0), GREEN, "-"),
    "LSTM, forget bias 0": (LSTM(4, 16, forget_bias=0.0, rng=0), BLUE, ":"),
    "LSTM, forget bias 1": (lstm, BLUE, "-"),
    "LSTM, forget bias 4": (LSTM(4, 16, forget_bias=4.0, rng=0), BLUE, "--"),
}
figure, axes = plt.subplots(figsize=(6.8, 4.0), layout="constrained")
ends = {}
for name, (net, color, style) in nets.items():
    logs = mg.jacobian_products(net.trace(sequence)).log10_norms()[::-1]
    axes.plot(distance, logs, style, color=color, label=name)
    ends[name] = logs[-1]
    print(f"{name:20} after {STEPS} steps: 10^{logs[-1]:.1f}")
axes.set_xlabel("steps back")
axes.set_ylabel("log10 of the norm of the product")
axes.set_title("How much of a gradient comes through, in networks as they start")
axes.legend()
axes.grid(alpha=0.3)

# %% [markdown]
# Read this picture twice. An LSTM is not immune: with a forget bias of 0 it starts
# worse than the plain RNN, because each forget gate stands near one half. The bias
# makes the difference, and it is one number.

# %%
assert ends["LSTM, forget bias 0"] < ends["RNN"] < ends["LSTM, forget bias 1"]
assert ends["LSTM, forget bias 4"] > -1

# %% [markdown]
# ## The half-life of a memory
#
# With nothing else going on, $f = \sigma(b)$, and after $k$ steps $f^k$ is left. Half
# is left after $\ln 0.5 / \ln \sigma(b)$ steps:

# %%
biases = np.arange(-1.0, 6.0)
gates = 1 / (1 + np.exp(-biases))
half_lives = np.log(0.5) / np.log(gates)
for b, gate, half in zip(biases, gates, half_lives, strict=True):
    print(f"bias {b:+.0f}: f = {gate:.3f}, half is left after {half:6.1f} steps, "
          f"after 50 steps {gate**50:.1e}")  # fmt: skip
assert np.isclose(half_lives[2], 2.21, atol=0.01)  # the usual bias, 1
assert np.isclose(gates[2] ** 50, 1.6e-7, rtol=0.05)

# %% [markdown]
# The usual bias of 1 gives a half-life of two steps. That is enough to start learning
# what to keep; it is no long memory by itself.
#
# ## Which way carries it?
#
# There are other ways from $c_k$ to $c_T$: out through the hidden state, into a gate,
# and back; they leave the cell state at least once, and run along it for the rest.
# `share` says how much the straight way has of both, by their norms.

# %%
figure, panels = plt.subplots(
    1, 2, figsize=(8.4, 3.8), sharey=True, layout="constrained"
)
for axes, bias in zip(panels, (1.0, 4.0), strict=True):
    net = LSTM(4, 16, forget_bias=bias, rng=0)
    paths = mg.jacobian_products(net.trace(sequence)).paths()
    axes.semilogy(distance[1:], paths.alone_norms[:-1][::-1], color=BLUE,
                  label="through c alone")  # fmt: skip
    axes.semilogy(distance[2:], paths.rest_norms[:-2][::-1], color=ORANGE,
                  label="all other ways")  # fmt: skip
    assert paths.rest_norms[-2] == 0  # one step back there is only one way
    axes.set_title(f"forget bias {bias:g}")
    axes.set_xlabel("steps back")
    axes.grid(alpha=0.3)
    print(f"bias {bias:g}: share of the straight way after 1, 10 and 50 steps",
          paths.share[::-1][[1, 10, 50]].round(2))  # fmt: skip
panels[0].set_ylabel("norm of d c_T / d c_k")
panels[0].legend()

# %% [markdown]
# Near by, the straight way is nearly everything. Far back, the others together are the
# larger part: there is one straight way and a host of others. But look at the slopes:
# with the higher bias both curves are flatter. All ways run along c most of the time,
# so the forget gates set the pace of all of them.
#
# ## When it does not survive: three ways
#
# **One: the gates close.** A memory that is kept at f = 0.5 is halved at each step, in
# an LSTM as anywhere. **Two: one zero is enough.** If a forget gate closes at a single
# step, everything before it is cut off, exactly. Lesson 6 showed that this is what
# forgetting is *for*.

# %%
closed = LSTM(4, 16, forget_bias=4.0, rng=0)
W_x = np.array(closed.cells[0].W_x.data)
W_x[0, closed.cells[0].columns("f")] = -1000.0  # the first input shuts all forget gates
closed.cells[0].W_x.data = W_x
signal = np.array(sequence)
signal[:, 0, 0] = 0.0
signal[25, 0, 0] = 1.0
paths = mg.jacobian_products(closed.trace(signal)).paths()
print("through c alone, from step 30:", paths.alone_norms[30].round(3),
      " from step 20:", paths.alone_norms[20])  # fmt: skip
assert paths.alone_norms[30] > 0.1 and paths.alone_norms[20] == 0.0

# %% [markdown]
# **Three: it explodes.** The straight way never does, as every $f \le 1$. But the other
# ways are ordinary products of matrices. With recurrent weights eight times as large:

# %%
wild = LSTM(4, 16, rng=0)
wild.cells[0].W_h.data = 8.0 * wild.cells[0].W_h.data
jp = mg.jacobian_products(wild.trace(sequence))
paths = jp.paths()
print(f"largest norm on the straight way {paths.alone_norms.max():.2g}, "
      f"on the others {paths.rest_norms.max():.2g}")  # fmt: skip
assert paths.alone_norms.max() <= 1.0
assert paths.rest_norms.max() > 10

# %% [markdown]
# ## Does it matter in training?
#
# Back to the question of lesson 4: a thing is read, 25 random words later its colour is
# asked. The plain RNN could not learn it in 200 steps. Here are 100, with steps twice
# as large:

# %%
THINGS, FILLERS, GAP = 4, 12, 25


def batch(rng, size=32):
    thing = rng.integers(0, THINGS, size)
    rest = rng.integers(THINGS, THINGS + FILLERS, (GAP, size))
    return np.concatenate([thing[None], rest]), thing


def train(bias, seed, steps=100):
    """Held-out accuracy during training; `bias` None for a plain RNN."""
    rng = np.random.default_rng(seed)
    table = mg.nn.Embedding(THINGS + FILLERS, 8, rng=seed)
    net = (
        RNN(8, 24, rng=seed)
        if bias is None
        else LSTM(8, 12, forget_bias=bias, rng=seed)
    )
    head = mg.nn.Linear(net.hidden_size, THINGS, rng=seed)
    parameters = [*table.parameters(), *net.parameters(), *head.parameters()]
    optimizer = mg.optim.Adam(parameters, lr=0.01)
    tokens, answer = batch(np.random.default_rng(1), 400)
    accuracy = []
    for step in range(steps):
        read, thing = batch(rng)
        loss = mg.losses.cross_entropy(head(net(table(read))[0][-1]), thing)
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 10 == 9:
            with mg.no_grad():
                said = head(net(table(tokens))[0][-1]).data.argmax(axis=1)
            accuracy.append((said == answer).mean())
    return accuracy


curves = {}
for name, bias in (("RNN", None), ("LSTM, bias 1", 1.0), ("LSTM, bias 4", 4.0)):
    curves[name] = [train(bias, seed) for seed in range(2)]
    print(
        f"{name:13} right in the end",
        [round(float(one[-1]), 2) for one in curves[name]],
    )

# %%
figure, axes = plt.subplots(figsize=(6.8, 3.4), layout="constrained")
for (name, found), color in zip(curves.items(), (ORANGE, GREEN, BLUE), strict=True):
    for seed, one in enumerate(found):
        steps = np.arange(1, len(one) + 1) * 10
        axes.plot(steps, one, color=color, label=name if seed == 0 else None)
axes.axhline(1 / THINGS, color="gray", linestyle="--")
axes.set_xlabel("training step")
axes.set_ylabel("right colours")
axes.set_title(f"A gap of {GAP} words (two beginnings each; dashed: guessing)")
axes.legend()
axes.grid(alpha=0.3)
assert max(one[-1] for one in curves["RNN"] + curves["LSTM, bias 1"]) < 0.5
assert min(one[-1] for one in curves["LSTM, bias 4"]) > 0.9

# %% [markdown]
# So "LSTMs learn long dependencies" is not a property of the equations. With the usual
# bias and these few steps the LSTM fails like the RNN; with a half-life that fits the
# gap it is done after some dozen steps. (With more steps the first may get there, too:
# try it.) What the LSTM has, and the RNN has not, is a *place* for that one number.
#
# ## The same for your network, in three lines
#
# Everything above, and what a training run needs to know, from any loss with time
# steps:

# %%
output, _ = LSTM(4, 16, rng=0)(sequence)
diagnosis = mg.diagnose((output[-1] ** 2).sum())
diagnosis

# %% [markdown]
# ## Try this
#
# - How many steps does the LSTM with bias 1 need? `train(1.0, 0, steps=600)`
# - Use a GRU with its update gate's bias at 4: see the class in lesson 9.
# - `mg.ledger` of the trained network: is the term of step 0 among the large ones now?
# - Draw the share again for a trained network.
#
# ## Exercises
#
# 1. Which bias gives a half-life of T steps? Solve for $b$, and compare with the rule
#    $b = \ln(T - 1)$ of Tallec and Ollivier, which sets $1 - f = 1 / T$.
# 2. Show that with `forget_gate=False` the straight way is exactly 1 at any distance.
#    Why is that not simply better?
# 3. Do the same for the GRU: which gate's product is the straight way, in both
#    conventions of `update`?

# %% [markdown]
# ### Solution 1
#
# $\sigma(b) = 2^{-1/T}$ gives $b = -\ln(2^{1/T} - 1)$, for large T about
# $\ln T - \ln \ln 2$. The rule is a little lower: it makes the mean life T, not the
# half-life.

# %%
for T in (10, 50, 1000):
    b = -np.log(2 ** (1 / T) - 1)
    assert np.isclose((1 / (1 + np.exp(-b))) ** T, 0.5)
    print(f"T = {T}: b = {b:.2f}; the rule gives {np.log(T - 1):.2f}")
    assert 0 < b - np.log(T - 1) < 0.6

# %% [markdown]
# ### Solution 2
#
# Nothing can be forgotten: the memory of an unending stream only grows, and the tanh at
# the way out saturates. That is what the forget gate was added for.

# %%
keeping = LSTM(4, 16, forget_gate=False, rng=0).trace(sequence)
assert (mg.jacobian_products(keeping).paths().alone == 1.0).all()
steady = LSTM(4, 16, forget_gate=False, rng=0).trace(np.ones((500, 1, 4)))
assert np.abs(steady["c"][-1]).max() > 50

# %% [markdown]
# ### Solution 3

# %%
for update in ("keep", "take"):
    trace = GRU(4, 16, update=update, rng=0).trace(sequence)
    kept = trace["z"][:, 0] if update == "keep" else 1 - trace["z"][:, 0]
    paths = mg.jacobian_products(trace).paths()
    assert paths.state == "h"
    assert np.allclose(paths.alone[0], np.prod(kept, axis=0), rtol=1e-12, atol=0)

# %% [markdown]
# ## Sources
#
# - S. Hochreiter, J. Schmidhuber, *Long short-term memory*, Neural Computation 9
#   (1997): the constant error carousel.
# - R. Jozefowicz, W. Zaremba, I. Sutskever, *An empirical exploration of recurrent
#   network architectures*, 2015: the forget bias of 1.
# - C. Tallec, Y. Ollivier, *Can recurrent neural networks warp time?*, 2018.
#   https://arxiv.org/abs/1804.11188
#
# Next: variants of the gates.

# %%
plt.show()  # as a script: all figures, in windows
