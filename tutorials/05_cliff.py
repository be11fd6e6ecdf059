# %% [markdown]
# # 5. Clipping, and the cliff
#
# Exploding gradients are not only large. They stand at walls in the loss: one step on
# the plain, the next one off a cliff.
#
# *Time to run: about 5 s.*
#
# **You will be able to**
#
# - draw the loss of the smallest recurrent network, and find its cliff;
# - say what a single step of gradient descent does there, with clipping and without;
# - tell clipping by norm from clipping by value, and say what each keeps;
# - see, in a training, what clipping does and what it cannot do.
#
# You need: lesson 4.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import RNN

BLUE, ORANGE = "#0072B2", "#D55E00"

# %% [markdown]
# ## One unit, twenty steps
#
# Take one unit that only feeds itself,
#
# $$
# h_t = \tanh(w\, h_{t-1} + b), \qquad h_0 = 0.5, \qquad L = (h_{20} - 0.7)^2 .
# $$
#
# Its loss depends on two numbers. Everything below is elementwise, so a whole grid of
# networks can be run at once: `w` and `b` are arrays.

# %%
STEPS = 20


def loss_at(w, b, steps=STEPS):
    """The loss for every pair of w and b, in one go."""
    h = mg.full(np.broadcast_shapes(np.shape(w), np.shape(b)), 0.5)
    for _ in range(steps):
        h = mg.tanh(w * h + b)
    return (h - 0.7) ** 2


w_grid, b_grid = np.linspace(0.5, 3, 400), np.linspace(-1.2, 0.4, 320)
with mg.no_grad():
    surface = loss_at(w_grid[None, :], b_grid[:, None]).data

figure = plt.figure(figsize=(7.2, 4.8), layout="constrained")
axes = figure.add_subplot(projection="3d")
axes.plot_surface(w_grid[None, :], b_grid[:, None], surface, cmap="viridis",
                  rcount=160, ccount=160, linewidth=0, antialiased=False)  # fmt: skip
axes.view_init(elev=35, azim=-50)
axes.set_xlabel("w")
axes.set_ylabel("b")
axes.set_zlabel("loss")
axes.set_title("The loss of one recurrent unit after 20 steps")

# %% [markdown]
# A plain below, a plain above, and a wall between them. On one side the unit ends above
# zero, on the other near -1; a tiny change of `b` decides which. Cut the surface along
# one value of `w`, and compute the slope, too:

# %%
W = 2.0
line = mg.tensor(np.linspace(-0.47, -0.43, 2001), requires_grad=True, name="b")
values = loss_at(W, line)
(slope,) = mg.grad(values.sum(), [line])
steepest = np.abs(slope.data).argmax()
print(f"steepest at b = {line.data[steepest]:.4f}: slope {slope.data[steepest]:.0f}")

figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(6.8, 4.8), sharex=True, layout="constrained"
)
upper.plot(line.data, values.data, color=BLUE)
upper.set_ylabel("loss")
upper.set_title(f"A cut at w = {W:g}: the cliff")
upper.grid(alpha=0.3)
lower.semilogy(line.data, np.abs(slope.data), color=ORANGE)
lower.set_ylabel("|dL/db|")
lower.set_xlabel("b")
lower.grid(alpha=0.3)
assert np.abs(slope.data).max() > 1e4

# %% [markdown]
# The wall stands where the unit, started at 0.5, stays near 0.5 for long: there
# $0.5 = \tanh(0.5 w + b)$, and each step multiplies a difference by
# $w\,(1 - 0.5^2) = 1.5$. That is lesson 4 again: a factor above 1, to the power of 20.

# %%
wall = np.arctanh(0.5) - 0.5 * W
print(f"b = {wall:.4f}; 1.5^20 = {1.5**20:.0f}")
assert abs(line.data[steepest] - wall) < 1e-3

# %% [markdown]
# ## One step
#
# Stand on the wall and take one step against the gradient, with an ordinary learning
# rate.

# %%
LR = 0.1
b = mg.tensor(wall, requires_grad=True)
(g,) = mg.grad(loss_at(W, b), [b])
after = b.item() - LR * g.item()
print(f"gradient {g.item():.0f}: b goes from {b.item():.2f} to {after:.0f}")
assert abs(LR * g.item()) > 100

# %% [markdown]
# The direction was right. The length was absurd: the slope of a wall says nothing about
# the land behind it. And where `b` is now, the loss is flat, and no gradient leads
# back.
#
# **Clipping by norm** keeps the direction and bounds the length. `mg.clip_grad_norm_`
# scales all gradients by one factor and returns the norm that it found; **by value**,
# `mg.clip_grad_value_` cuts each number for itself, which turns the direction.

# %%
p = mg.tensor([3.0, -4.0], requires_grad=True)
p.grad = mg.tensor([30.0, -0.4])
found = mg.clip_grad_norm_([p], 1.0)
print("by norm: ", p.grad.data.round(4), " it was", round(float(found), 4))
assert np.isclose(np.linalg.norm(p.grad.data), 1.0)
assert np.isclose(p.grad.data[1] / p.grad.data[0], -0.4 / 30)

p.grad = mg.tensor([30.0, -0.4])
mg.clip_grad_value_([p], 1.0)
print("by value:", p.grad.data)
assert p.grad.data.tolist() == [1.0, -0.4]

# %% [markdown]
# ## A thousand walks
#
# One walk proves nothing. So let a thousand start at random places on both sides of the
# wall and take 200 steps each, with the same learning rate; once as they are, once
# clipped to norm 1. (They are independent, so each is clipped by its own norm.)


# %%
def walk(clip, walks=1000, steps=200):
    """The paths (steps + 1, 2, walks), the last losses, the largest gradient met."""
    rng = np.random.default_rng(0)
    w = mg.tensor(rng.uniform(1, 2.5, walks), requires_grad=True)
    b = mg.tensor(rng.uniform(-0.8, -0.1, walks), requires_grad=True)
    path, largest = [np.stack([w.data, b.data])], np.zeros(walks)
    for _ in range(steps):
        gw, gb = mg.grad(loss_at(w, b).sum(), [w, b])
        norm = np.hypot(gw.data, gb.data)
        largest = np.maximum(largest, norm)
        scale = 1.0 if clip is None else np.minimum(1, clip / np.maximum(norm, 1e-300))
        w.data = w.data - LR * scale * gw.data
        b.data = b.data - LR * scale * gb.data
        path.append(np.stack([w.data, b.data]))
    return np.array(path), loss_at(w, b).data, largest


shares = {}
for clip in (None, 1.0):
    path, last, largest = walk(clip)
    shares[clip] = (last < 1e-3).mean()
    lost = (np.hypot(*path[-1]) > 6).mean()
    print(
        f"clip {clip}: solved {shares[clip]:.1%}, thrown out of the picture {lost:.1%}"
    )
    print(f"    {(largest > 10).mean():.0%} met a slope above 10")
    if clip is None:
        free_path, thrown = path, (np.hypot(*path[-1]) > 6)
    else:
        clipped_path = path
assert shares[1.0] > 0.99 and shares[None] < 0.8

# %%
figure, panels = plt.subplots(
    1, 2, figsize=(8.4, 4.0), sharey=True, layout="constrained"
)
chosen = np.flatnonzero(thrown)[:6]
for axes, path, title in zip(
    panels, (free_path, clipped_path), ("as they are", "clipped to norm 1"), strict=True
):
    axes.pcolormesh(w_grid, b_grid, surface, cmap="Greys", vmin=0, vmax=6)
    for one in chosen:
        axes.plot(path[:, 0, one], path[:, 1, one], "-", linewidth=1.2)
        axes.plot(path[0, 0, one], path[0, 1, one], "k.", markersize=5)
    axes.set_xlim(0.5, 3)
    axes.set_ylim(-1.2, 0.4)
    axes.set_xlabel("w")
    axes.set_title(title)
panels[0].set_ylabel("b")
figure.suptitle("Six walks from the same starts (dots); dark: high loss")

# %% [markdown]
# ## In a real training
#
# A network of 24 units whose recurrent weights start too large, a task over 12 steps
# (the sign of the first of two numbers, noise behind it), plain gradient descent. The
# gradient's norm, step by step:


# %%
def train(clip, seed=0, steps=150):
    """Losses and gradient norms of one training."""
    rng = np.random.default_rng(seed)
    rnn, head = RNN(2, 24, rng=seed), mg.nn.Linear(24, 1, rng=seed)
    rnn.cells[0].W_h.data = 3.0 * rnn.cells[0].W_h.data
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = mg.optim.SGD(parameters, lr=0.3)
    losses, norms = [], []
    for _ in range(steps):
        x = rng.standard_normal((12, 32, 2))
        x[1:, :, 0] = 0
        answer = (x[0, :, 0] > 0).astype(float)
        score = head(rnn(x)[0][-1])[:, 0]
        loss = mg.losses.binary_cross_entropy(score, answer)
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(mg.clip_grad_norm_(parameters, clip)))
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), np.array(norms)


runs = {clip: train(clip) for clip in (np.inf, 1.0)}
for clip, (losses, norms) in runs.items():
    end, worst = losses[-20:].mean(), losses.max()
    print(f"clip {clip}: loss at the end {end:.3f}, worst {worst:.2f}")
    print(
        f"    gradient norm: median {np.median(norms):.2f}, largest {norms.max():.2f}"
    )

# %%
figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(6.8, 4.8), sharex=True, layout="constrained"
)
for (clip, (losses, norms)), color in zip(runs.items(), (ORANGE, BLUE), strict=True):
    label = "not clipped" if clip == np.inf else f"clipped to norm {clip:g}"
    upper.plot(losses, color=color, label=label)
    lower.semilogy(norms, color=color)
lower.axhline(1.0, color="gray", linestyle="--")
upper.axhline(np.log(2), color="gray", linestyle=":")
upper.text(149, np.log(2) + 0.03, "guessing", color="gray", ha="right")
upper.set_ylabel("loss, nats")
lower.set_ylabel("gradient norm, found")
lower.set_xlabel("training step")
upper.set_title("Plain gradient descent, recurrent weights too large")
upper.legend()
for axes in (upper, lower):
    axes.grid(alpha=0.3)

free, clipped = runs[np.inf], runs[1.0]
assert clipped[0][-20:].mean() < free[0][-20:].mean() / 2
assert free[0].max() > 1.5 * clipped[0].max()

# %% [markdown]
# Each spike of the gradient is a piece of wall, and each is followed by a jump of the
# loss where nothing is clipped. Most gradients are below the limit and are left alone.
#
# What clipping cannot do: lengthen what has vanished. It acts on the sum over steps,
# and scales all terms alike; the terms of long ago stay as small a part of it as they
# were.
#
# ## Try this
#
# - Move the limit: 0.1, 10, 100. Which is too small for the thousand walks, and why?
# - Use `mg.optim.Adam` in the training. Adam divides by the size of past gradients: is
#   clipping still needed?
# - Start the unit at $h_0 = 0$. Where is the wall now?
#
# ## Exercises
#
# 1. By which factor does the slope at the wall grow with each further step? Predict it
#    from $w$ and $h_0$, then measure it with `loss_at(W, b, steps=...)` at the wall.
# 2. Write clipping by norm yourself for a list of parameters, as one line of NumPy per
#    parameter, and compare with `mg.clip_grad_norm_`.
# 3. Show that a limit on the norm of the *step* bounds how far 200 steps can lead, and
#    check that with `clipped_path`.

# %% [markdown]
# ### Solution 1
#
# By $w\,(1 - h_0^2) = 1.5$, as long as the unit stays near $h_0$.

# %%
slopes = []
for steps in (10, 11, 12, 13):
    b = mg.tensor(wall, requires_grad=True)
    (g,) = mg.grad(loss_at(W, b, steps=steps), [b])
    slopes.append(g.item())
growth = np.diff(np.log(np.abs(slopes)))
assert np.allclose(np.exp(growth), 1.5, atol=0.03)

# %% [markdown]
# ### Solution 2

# %%
rng = np.random.default_rng(0)
theirs = [mg.tensor(rng.standard_normal(n), requires_grad=True) for n in (3, 5)]
for p in theirs:
    p.grad = mg.tensor(10 * rng.standard_normal(p.shape))
grads = [p.grad.data.copy() for p in theirs]

norm = np.sqrt(sum((g**2).sum() for g in grads))
mine = [g * min(1, 1.0 / norm) for g in grads]

assert np.isclose(mg.clip_grad_norm_(theirs, 1.0), norm)
for a, p in zip(mine, theirs, strict=True):
    assert np.allclose(a, p.grad.data, rtol=1e-5)  # theirs guards against a norm of 0

# %% [markdown]
# ### Solution 3
#
# A step is at most the learning rate times the limit, so 200 of them lead at most
# $200 \cdot 0.1 \cdot 1 = 20$ away, and each at most 0.1.

# %%
moves = np.linalg.norm(np.diff(clipped_path, axis=0), axis=1)
assert moves.max() <= LR * (1 + 1e-12)
away = np.linalg.norm(clipped_path[-1] - clipped_path[0], axis=0)
assert away.max() <= 200 * LR

# %% [markdown]
# ## Sources
#
# - R. Pascanu, T. Mikolov, Y. Bengio, *On the difficulty of training recurrent neural
#   networks*, 2013 (the cliff, and clipping by norm). https://arxiv.org/abs/1211.5063
# - T. Mikolov, *Statistical language models based on neural networks*, 2012 (clipping
#   by value).
#
# Next: a cell that was made so that gradients survive.

# %%
plt.show()  # as a script: all figures, in windows
