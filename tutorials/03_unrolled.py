# %% [markdown]
# # 3. An RNN unrolled: backpropagation through time comes by itself
#
# A recurrent network is one small function, used again and again. Write it as a loop
# and ask for gradients: you get "backpropagation through time", and nobody has to write
# it.
#
# *Time to run: about 6 s.*
#
# **You will be able to**
#
# - write a recurrent network as a loop, and see its unrolled graph;
# - explain why the gradient of a recurrent weight is a sum over time steps, and split
#   this sum into its terms;
# - write backpropagation through time by hand, once;
# - train a network that predicts the next word.
#
# You need: lessons 1 and 2.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import RNN

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

# %% [markdown]
# ## The smallest recurrent network
#
# It has a memory of one number, $h$. At each step this number is mixed with the input:
#
# $$
# h_t = \tanh(w\, h_{t-1} + u\, x_t)
# $$
#
# Every step uses the same `w` and the same `u`. `mg.time_step(t)` only names the steps,
# so that the picture can show them.

# %%
w = mg.tensor(0.8, requires_grad=True, name="w")
u = mg.tensor(1.0, requires_grad=True, name="u")
xs = [1.0, -0.5, 0.25, 0.5]

h = mg.tensor(0.0, name="h0")
states = [h]
for t, x in enumerate(xs):
    with mg.time_step(t):
        h = mg.tanh(w * h + u * x)
        h.name = f"h{t + 1}"
    states.append(h)
print([round(state.item(), 4) for state in states])
mg.draw(h, level="op", gradients=True)

# %% [markdown]
# `w` is used once in each step, and a gradient flows to each of these places. Look at
# the numbers on the lines between the states. They get smaller from right to left.
#
# ## Splitting the sum
#
# Now we give each step a weight of its own, and all these weights have the same value.
# The network computes exactly the same as before. But now the weight of each step has
# its own gradient.


# %%
def run(weights):
    h = mg.tensor(0.0)
    for weight, x in zip(weights, xs, strict=True):
        h = mg.tanh(weight * h + 1.0 * x)
    return h


copies = [mg.tensor(0.8, requires_grad=True) for _ in xs]
parts = [g.item() for g in mg.grad(run(copies), copies)]
(dw,) = mg.grad(h, [w])
print("per step:", [f"{part:+.5f}" for part in parts])
print(f"their sum: {sum(parts):+.5f}    dh/dw: {dw.item():+.5f}")
assert np.isclose(sum(parts), dw.item(), rtol=1e-14)

# %% [markdown]
# This is backpropagation through time: the gradient of a shared weight is the sum of
# the gradients of its uses. Here the first step contributes nothing, because `w`
# multiplies $h_0 = 0$ there.
#
# Each step further back adds one more factor,
# $\partial h_t / \partial h_{t-1} = w\,(1 - h_t^2)$. The next lesson is about the
# product of these factors.

# %%
factors = [0.8 * (1 - state.item() ** 2) for state in states[1:]]
(through,) = mg.grad(h, [states[1]])
assert np.isclose(through.item(), np.prod(factors[1:]), rtol=1e-14)
assert parts[0] == 0.0
print("factors:", np.round(factors[1:], 4), " product:", round(through.item(), 5))

# %% [markdown]
# `mg.explain` writes out the whole sum, with one product of Jacobians for each step.
# (Step t makes the state t + 1.)

# %%
explanation = mg.explain(w, (), h)
assert np.isclose(explanation.value, sum(parts), rtol=1e-14)
assert [term.step for term in explanation.terms] == [3, 2, 1, 0]
explanation

# %% [markdown]
# And here it is step by step, with all numbers:

# %%
mg.steps(h)

# %% [markdown]
# ## The same with arrays
#
# The memory of a real network has many numbers. `models.RNN` has the same equation with
# matrices, $h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$, and the same loop. Each word goes
# in as a row of zeros with a single one. (In "The color of the sky is blue" there is
# only one word between "sky" and "blue". In lesson 4 the distance is long.)

# %%
words = "the color of the sky is blue".split()
vocabulary = mg.data.Vocabulary([words])
tokens = np.array(vocabulary.encode(words))
x = mg.tensor(np.eye(len(vocabulary))[tokens[:-1]][:, None, :], name="x")  # (T, 1, D)
number = dict(zip(words, tokens.tolist(), strict=True))
print(number)

rnn = RNN(input_size=len(vocabulary), hidden_size=12, rng=3)
head = mg.nn.Linear(12, len(vocabulary), rng=3)
output, _ = rnn(x)
mg.draw(output[-1].sum(), level="cell", words=words[:-1], gradients=True)

# %% [markdown]
# ## By hand, once
#
# This is backpropagation through time as textbooks print it. It is not hard, but it is
# easy to get wrong, and you would have to write it again for every kind of cell.
# Compare it with `mg.grad`, and then you need not write it again.


# %%
def bptt(x, cell, last):
    """The gradients of (h_T * last).sum(), from equations. x: (T, D)."""
    W_x, W_h, b = cell.W_x.data, cell.W_h.data, cell.b.data
    h = [np.zeros(len(W_h))]
    for x_t in x:
        h.append(np.tanh(x_t @ W_x + h[-1] @ W_h + b))
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    dh = last
    for t in range(len(x))[::-1]:
        dz = dh * (1 - h[t + 1] ** 2)
        dW_x += np.outer(x[t], dz)
        dW_h += np.outer(h[t], dz)
        db += dz
        dh = dz @ W_h.T
    return dW_x, dW_h, db


cell = rnn.cells[0]
last = np.linspace(-1, 1, 12)
by_hand = bptt(x.data[:, 0], cell, last)
arisen = mg.grad((output[-1, 0] * last).sum(), [cell.W_x, cell.W_h, cell.b])
for mine, theirs in zip(by_hand, arisen, strict=True):
    assert np.allclose(mine, theirs.data, rtol=1e-12, atol=1e-15)
print("the gradients written by hand agree with those of mg.grad")

# %% [markdown]
# ## The next word
#
# Now we train the network: after each word, it has to say the next one. The loss is now
# a sum over the steps as well. So the gradient of a weight is a double sum: it has a
# term for each loss, and for each step before that loss. We still only write
# `loss.backward()`.

# %%
targets = tokens[1:, None]
parameters = [*rnn.parameters(), *head.parameters()]
optimizer = mg.optim.Adam(parameters, lr=0.03)
curve = []
for _ in range(150):
    output, _ = rnn(x)
    loss = mg.losses.cross_entropy(head(output), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    curve.append(loss.item())

chance = np.log(len(vocabulary))
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.semilogy(curve, color=BLUE)
axes.axhline(chance, color="gray", linestyle="--")
axes.text(148, chance * 0.5, "guessing any word", color="gray", ha="right")
axes.set_xlabel("training step")
axes.set_ylabel("cross-entropy, nats per word")
axes.set_title("Training on a single sentence")
axes.grid(alpha=0.3)

# %%
said = vocabulary.decode(head(rnn(x)[0]).data[:, 0].argmax(axis=1))
print(" ".join(words[:1]), "->", " ".join(said))
assert list(said) == words[1:]
assert curve[-1] < 0.05 < chance < curve[0] * 1.5

# %% [markdown]
# "the" occurs twice, and two different words follow it. A table that gives one next
# word for each word cannot get both right, so the network needs its memory. Without the
# memory, it must get one of the two wrong.

# %%
forgetful = head(cell(x[3], cell.zero_state(1)))  # "the", without what came before
with_past = head(rnn(x)[0][3])
without = mg.softmax(forgetful).data[0]
with_it = mg.softmax(with_past).data[0]
for word in ("color", "sky"):
    k = number[word]
    print(
        f"after 'the', {word:5}: {without[k]:.3f} without memory, "
        f"{with_it[k]:.3f} with memory"
    )
assert without[number["color"]] > 0.9 and with_it[number["sky"]] > 0.9

# %% [markdown]
# ## How much each word matters
#
# The inputs have a gradient, too. How much does the score of "blue" change when we
# change one of the words before it?

# %%
reading = mg.tensor(x.data, requires_grad=True)
score = head(rnn(reading)[0])[-1, 0, number["blue"]]
(gx,) = mg.grad(score, [reading])
felt = np.linalg.norm(gx.data[:, 0], axis=1)

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.bar(range(6), felt, color=GREEN)
axes.set_xticks(range(6), words[:-1])
axes.set_ylabel("|d score of “blue” / d word|")
axes.set_title("How strongly each word affects the score of “blue”")
assert felt.argmax() == 5

# %% [markdown]
# ## Try this
#
# - Set `w = 3` in the first network. What happens to the factors?
# - Train with SGD instead of Adam: `mg.optim.SGD(parameters, lr=0.3)`.
# - Add `h = h.detach()` at one step of the first loop, and draw the graph again. This
#   is called *truncated* backpropagation through time. The network still uses the past,
#   but the weights no longer learn from it.
#
# ## Exercises
#
# 1. In the first network, let the loss be the sum of all four states. How many terms
#    does the gradient of `w` have then, and which of them are zero? Check your answer.
# 2. Take the trained network and cut the gradient before its last step, with `detach`.
#    Show that you get a different gradient of `W_h` than before, and that it is exactly
#    the term of the *last* use.
# 3. Count the multiplications in `bptt` for T steps and H units. Then check that twice
#    as many steps take about twice the time, not four times.

# %% [markdown]
# ### Solution 1
#
# Every use of `w` at a step $k \le t$ has an effect on the state $h_t$, so there are
# $1 + 2 + 3 + 4 = 10$ terms. Four of them belong to the first step. They are zero,
# because `w` multiplies $h_0 = 0$ there. Each of the others is $h_{k-1} (1 - h_k^2)$
# times the factors between $k$ and $t$.

# %%
values = [state.item() for state in states]
terms = [
    values[k - 1] * (1 - values[k] ** 2) * np.prod(factors[k:t])
    for t in range(1, 5)
    for k in range(1, t + 1)
]
(g,) = mg.grad(states[1] + states[2] + states[3] + states[4], [w])
assert len(terms) == 10 and sum(term == 0 for term in terms) == 4
assert np.isclose(sum(terms), g.item(), rtol=1e-12)

# %% [markdown]
# ### Solution 2
#
# After `detach`, only the last use of `W_h` gets a gradient. Its term is the outer
# product of the state before the last step and $1 - h^2$.

# %%
state = cell.zero_state(1)
for t in range(5):
    state = cell(x[t], state)
cut = cell(x[5], state.detach())
whole = cell(x[5], state)
(last_use,) = mg.grad(cut.sum(), [cell.W_h])
(all_uses,) = mg.grad(whole.sum(), [cell.W_h])
dz = 1 - whole.data[0] ** 2
assert np.allclose(last_use.data, np.outer(state.data[0], dz), rtol=1e-12)
assert not np.allclose(last_use.data, all_uses.data)

# %% [markdown]
# ### Solution 3
#
# Going forward, each step multiplies a row by $W_h$, which takes $H^2$ multiplications.
# Going backward, each step multiplies by the transpose of $W_h$ and computes one outer
# product, which takes $2 H^2$. With the inputs it is about $3 T H (H + D)$ in all, so
# it grows linearly with T.
#
# Times are not reliable on a busy computer. So we check the number of operations
# instead, which is always the same.

# %%
from minigrad.engine.graph import ancestors


def operations(steps):
    out, _ = rnn(mg.ones((steps, 1, len(vocabulary))))
    return len(list(ancestors([out.sum().node])))


assert operations(41) - operations(21) == operations(21) - operations(1)

# %% [markdown]
# ## Sources
#
# - J. L. Elman, *Finding structure in time*, Cognitive Science 14 (1990).
# - P. J. Werbos, *Backpropagation through time: what it does and how to do it*,
#   Proceedings of the IEEE 78 (1990).
# - R. J. Williams, D. Zipser, *Gradient-based learning algorithms for recurrent
#   networks and their computational complexity*, 1995 (truncation).
#
# Next: what happens to the product of factors when the distance grows.

# %%
plt.show()  # in a script, this opens all figures in windows
