# %% [markdown]
# # 5. Clipping, and the cliff
#
# Exploding gradients are not only large. They occur at steep walls of the loss, and a
# single training step there can jump far away, as if it went over a cliff.
#
# *Time to run: about 8 s.*
#
# **You will be able to**
#
# - draw the loss of the smallest recurrent network, and find its cliff;
# - say what a single step of gradient descent does at the cliff, with clipping and
#   without;
# - explain the difference between clipping by norm and clipping by value;
# - see in a training run what clipping can do and what it cannot do.
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
# Take one unit whose only input is its own state,
#
# $$
# h_t = \tanh(w\, h_{t-1} + b), \qquad h_0 = 0.5, \qquad L = (h_{20} - 0.7)^2 .
# $$
#
# Its loss depends on two numbers, `w` and `b`. All operations below are elementwise, so
# `w` and `b` can be arrays, and we can run a whole grid of networks at once.

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
# There is a low flat part, a high flat part, and a wall between them. On one side of
# the wall the unit ends above zero, on the other side it ends near -1, and a tiny
# change of `b` decides which. We now keep `w` fixed and look at the loss as a function
# of `b` alone. We also compute its slope:

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
upper.set_title(f"The cliff: the loss at w = {W:g}")
upper.grid(alpha=0.3)
lower.semilogy(line.data, np.abs(slope.data), color=ORANGE)
lower.set_ylabel("|dL/db|")
lower.set_xlabel("b")
lower.grid(alpha=0.3)
assert np.abs(slope.data).max() > 1e4

# %% [markdown]
# Where is the wall? The unit starts at 0.5. The wall is where it stays near 0.5 for a
# long time, that is, where $0.5 = \tanh(0.5 w + b)$. There each step multiplies a small
# difference by $w\,(1 - 0.5^2) = 1.5$. This is what we saw in lesson 4: a factor above
# 1, to the power of 20.

# %%
wall = np.arctanh(0.5) - 0.5 * W
print(f"b = {wall:.4f}; 1.5^20 = {1.5**20:.0f}")
assert abs(line.data[steepest] - wall) < 1e-3

# %% [markdown]
# ## One step
#
# Start at the wall and take one step against the gradient, with an ordinary learning
# rate.

# %%
LR = 0.1
b = mg.tensor(wall, requires_grad=True)
(g,) = mg.grad(loss_at(W, b), [b])
after = b.item() - LR * g.item()
print(f"gradient {g.item():.0f}: b goes from {b.item():.2f} to {after:.0f}")
assert abs(LR * g.item()) > 100

# %% [markdown]
# The direction was right, but the step was far too long. The slope at the wall says
# nothing about the loss further away. And where `b` is now, the loss is flat, so no
# gradient leads back.
#
# **Clipping by norm** keeps the direction and limits the length: `mg.clip_grad_norm_`
# multiplies all gradients by the same factor. It returns the norm before clipping.
# **Clipping by value** limits each number separately: `mg.clip_grad_value_` does this,
# and it changes the direction.

# %%
p = mg.tensor([3.0, -4.0], requires_grad=True)
p.grad = mg.tensor([30.0, -0.4])
found = mg.clip_grad_norm_([p], 1.0)
print("by norm: ", p.grad.data.round(4), " norm before:", round(float(found), 4))
assert np.isclose(np.linalg.norm(p.grad.data), 1.0)
assert np.isclose(p.grad.data[1] / p.grad.data[0], -0.4 / 30)

p.grad = mg.tensor([30.0, -0.4])
mg.clip_grad_value_([p], 1.0)
print("by value:", p.grad.data)
assert p.grad.data.tolist() == [1.0, -0.4]

# %% [markdown]
# ## A thousand starts
#
# One run proves nothing. So we start a thousand runs at random places on both sides of
# the wall. Each of them takes 200 steps with the same learning rate. We do this twice:
# once without clipping, and once with gradients clipped to norm 1. (The runs are
# independent, so each is clipped by its own norm.)


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
        f"clip {clip}: solved {shares[clip]:.1%}, jumped out of the picture {lost:.1%}"
    )
    print(f"    {(largest > 10).mean():.0%} met a gradient norm above 10")
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
    panels, (free_path, clipped_path), ("not clipped", "clipped to norm 1"), strict=True
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
figure.suptitle("Six runs from the same starts (dots). Dark: high loss")

# %% [markdown]
# ## In a real training run
#
# Now we train a network of 24 units whose recurrent weights start too large. It reads
# two numbers at each of 12 steps. At the end it has to say whether the very first
# number was positive. The second number of each step is only noise. We use plain
# gradient descent, and record the loss and the norm of the gradient at every training
# step. Such a training run is very sensitive: even a rounding error can change it a
# lot. So we compare four random starts, and draw the first of them.


# %%
def train(clip, seed=0, steps=150):
    """Losses and gradient norms of one training run."""
    rng = np.random.default_rng(seed)
    rnn, head = RNN(2, 24, rng=seed), mg.nn.Linear(24, 1, rng=seed)
    rnn.cells[0].W_h.data = 3.0 * rnn.cells[0].W_h.data
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = mg.optim.SGD(parameters, lr=0.5)
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


runs = {clip: [train(clip, seed) for seed in range(4)] for clip in (np.inf, 1.0)}
ends, worst = {}, {}
for clip, found in runs.items():
    ends[clip] = np.array([losses[-20:].mean() for losses, _ in found])
    worst[clip] = np.array([losses.max() for losses, _ in found])
    norms = np.array([norms for _, norms in found])
    print(f"clip {clip}: loss at the end", ends[clip].round(2), end="; ")
    print("largest loss", worst[clip].round(2))
    print(
        f"    gradient norm: median {np.median(norms):.2f}, largest {norms.max():.2f}"
    )
assert ends[1.0].mean() < ends[np.inf].mean() / 2
assert worst[np.inf].mean() > 1.5 * worst[1.0].mean()
assert all(np.median(norms) < 1 for _, norms in runs[1.0])

# %%
figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(6.8, 4.8), sharex=True, layout="constrained"
)
for (clip, found), color in zip(runs.items(), (ORANGE, BLUE), strict=True):
    losses, norms = found[0]  # the first random start
    label = "not clipped" if clip == np.inf else f"clipped to norm {clip:g}"
    upper.plot(losses, color=color, label=label)
    lower.semilogy(norms, color=color)
lower.axhline(1.0, color="gray", linestyle="--")
upper.axhline(np.log(2), color="gray", linestyle=":")
upper.text(149, np.log(2) + 0.03, "guessing", color="gray", ha="right")
upper.set_ylabel("loss, nats")
lower.set_ylabel("norm before clipping")
lower.set_xlabel("training step")
upper.set_title("Plain gradient descent with recurrent weights that are too large")
upper.legend()
for axes in (upper, lower):
    axes.grid(alpha=0.3)

# %% [markdown]
# The next page is about the same kind of wall, in a network with one parameter `w`. Go
# through the steps of gradient descent with the slider "step", and try other learning
# rates and limits. Which of the runs leave the picture?

# %%
from minigrad.demos import descent_at_the_cliff

knobs = mg.explore(
    descent_at_the_cliff,
    title="Gradient descent at a cliff",
    learning_rate=[0.02, 0.05, 0.1],
    clip=[None, 5.0, 1.0],
    start=[1.4, 1.52],
    step=[0, 1, 2, 3, 4, 5, 10, 20, 40],
)
assert knobs.at(learning_rate=0.05, clip=None, start=1.52, step=40)["w"] < -1
assert knobs.at(learning_rate=0.05, clip=1.0, start=1.52, step=40)["w"] > 1

# %%
knobs

# %% [markdown]
# Where the norm of the gradient has a high peak, the network has met a wall. Without
# clipping, the loss often jumps after such a peak. Most gradients are below the limit,
# and clipping does not change them.
#
# Clipping cannot help against vanishing gradients. It acts on the sum over all steps,
# and multiplies all terms by the same factor. So the terms from long ago remain just as
# small a part of the sum as before.
#
# ## Try this
#
# - Change the limit to 0.1, 10 and 100. Which limit is too small for the thousand runs,
#   and why?
# - Use `mg.optim.Adam` in the training run. Adam divides by the size of past gradients.
#   Is clipping still needed?
# - Start the unit at $h_0 = 0$. Where is the wall now?
#
# ## Exercises
#
# 1. By which factor does the slope at the wall grow if the unit takes one more step?
#    Predict it from $w$ and $h_0$, then measure it with `loss_at(W, b, steps=...)` at
#    the wall.
# 2. Write clipping by norm yourself for a list of parameters, with a line or two of
#    NumPy, and compare with `mg.clip_grad_norm_`.
# 3. If the norm of the gradient is clipped, how far from the start can 200 steps lead
#    at most? Check your answer with `clipped_path`.

# %% [markdown]
# ### Solution 1
#
# It grows by the factor $w\,(1 - h_0^2) = 1.5$, as long as the unit stays near $h_0$.

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
# The length of one step is at most the learning rate times the limit, which is
# $0.1 \cdot 1 = 0.1$. So 200 steps lead at most $200 \cdot 0.1 = 20$ away.

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
# Next: a cell that was designed to keep gradients from vanishing.

# %%
plt.show()  # in a script, this opens all figures in windows
