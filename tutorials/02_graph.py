# %% [markdown]
# # 2. One graph, drawn and stepped through
#
# A computation leaves a graph of plain data behind. Everything else, pictures and
# gradients alike, is read from it; you will write one such reader yourself.
#
# *Time to run: about 5 s.*
#
# **You will be able to**
#
# - read a graph's picture: boxes, lines, colours, and what stands on them;
# - say in which order the backward pass goes, and why no recursion is needed;
# - write a backward pass in twenty lines, and trust it;
# - look at one computation at three levels of detail.
#
# You need: lesson 1.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.engine.graph import Leaf, ancestors
from minigrad.models import LSTM

# %% [markdown]
# ## A neuron, written down
#
# Two inputs, two weights, a bias, a squashing function, and a loss that says how far
# the answer is from 1.

# %%
x = mg.tensor([1.0, -2.0], name="x")
w = mg.tensor([0.5, 0.25], requires_grad=True, name="w")
b = mg.tensor(0.1, requires_grad=True, name="b")

y = mg.tanh((x * w).sum() + b)
y.name = "y"
loss = (y - 1.0) ** 2
loss.name = "loss"
print(f"y = {y.item():.6f}, loss = {loss.item():.6f}")
assert np.isclose(y.item(), np.tanh(0.5 - 0.5 + 0.1))

# %% [markdown]
# ## The picture
#
# Each box is an operation, with the value it made. Each line carries an array forwards,
# and its gradient backwards: with `gradients=True` its colour, its width and its number
# say how large that gradient is. `x` is an input that nobody asked a gradient for, so
# nothing flows back to it.

# %%
mg.draw(loss, values=True, gradients=True)

# %% [markdown]
# ## The same as a list
#
# A node knows its primitive, its inputs, its outputs and when it was made: `seq` only
# grows. A node is always younger than what it was made from. So the list of nodes,
# sorted by `seq`, is in an order in which everything could be computed again; and read
# from its end, in an order in which gradients can be.

# %%
nodes = sorted(ancestors([loss.node]), key=lambda node: node.seq)


def name_of(edge):
    if isinstance(edge.source, Leaf):
        return edge.source.name
    return edge.source.primitive.name if edge.source else "a number"


for node in nodes:
    print(f"{node.primitive.name:10} of", [name_of(edge) for edge in node.edges])

names = [node.primitive.name for node in nodes]
assert names == ["multiply", "sum", "add", "tanh", "subtract", "power"]

# %% [markdown]
# ## Your own backward pass
#
# Walk the list from its end. `found` holds, for everything seen so far, how much the
# loss changes when it changes. A primitive's rule, `pull`, takes what arrived at its
# output and returns what each of its inputs gets. Contributions to the same thing are
# added. That is all there is.


# %%
def my_backward(loss):
    found = {loss.node: np.ones(loss.shape)}
    order = sorted(ancestors([loss.node]), key=lambda node: -node.seq)
    for node in order:
        g = found[node]
        needs = tuple(edge.requires_grad for edge in node.edges)
        inputs = [edge.array for edge in node.edges]
        parts = node.primitive.pull(needs, g, node.array, inputs, node.attrs)
        for edge, part, needed in zip(node.edges, parts, needs, strict=True):
            if needed:
                found[edge.source] = found.get(edge.source, 0) + part
                print(f"{node.primitive.name:9} gives {part}")
    return found


found = my_backward(loss)
mine = {key.name: value for key, value in found.items() if isinstance(key, Leaf)}
mine

# %% [markdown]
# minigrad's own backward pass is this loop with more care: it sums over the axes along
# which an array was repeated, skips what nobody needs, and never walks a list longer
# than necessary. The numbers are the same.

# %%
dw, db = mg.grad(loss, [w, b])
assert np.allclose(mine["w"], dw.data, rtol=1e-14)
assert np.allclose(mine["b"], db.data, rtol=1e-14)

# %% [markdown]
# `mg.steps` plays the same, forwards and then backwards, one operation at a time: what
# goes in, the rule, what comes out. Press → in it, or the space bar.

# %%
steps = mg.steps(loss)
steps

# %% [markdown]
# There is no recursion, so a long chain is no danger. Twenty thousand steps, where a
# recursive walk would stop at about a thousand:

# %%
z = mg.tensor(1.0, requires_grad=True)
chain = z
for _ in range(20_000):
    chain = chain * 1.0001
(dz,) = mg.grad(chain, [z])
print(f"{dz.item():.6f}")
assert np.isclose(dz.item(), 1.0001**20_000, rtol=1e-10)

# %% [markdown]
# ## Zooming out
#
# A real network has too many operations to look at one by one. Operations remember in
# which time step, cell and gate they were recorded, so a picture can group them. Here
# is an LSTM that reads three words, drawn with a box per step ...

# %%
words = ["sky", "is", "blue"]
lstm = LSTM(input_size=2, hidden_size=3, rng=0)
sequence = mg.tensor(np.random.default_rng(0).standard_normal((3, 1, 2)), name="x")
output, (h, c) = lstm(sequence)
total = h.sum()
mg.draw(total, level="cell", words=words)

# %% [markdown]
# ... with a box per gate ...

# %%
mg.draw(total, level="gate", words=words, gradients=True)

# %% [markdown]
# ... and with every operation. It is one and the same graph each time.

# %%
pictures = {k: mg.draw(total, level=k) for k in ("cell", "gate", "op")}
boxes = {k: len(d.picture.boxes) for k, d in pictures.items()}
print(boxes)
assert boxes["cell"] < boxes["gate"] < boxes["op"]
assert len({len(d.picture.nodes) for d in pictures.values()}) == 1
pictures["op"]

# %% [markdown]
# How the graph grows with the sequence, counted:

# %%
lengths = np.arange(1, 21)
sizes = []
for length in lengths:
    out, _ = lstm(mg.ones((int(length), 1, 2)))
    sizes.append(len(list(ancestors([out.sum().node]))))
growth = np.diff(sizes)
print("operations per further step:", sorted(set(growth.tolist())))
assert len(set(growth[1:].tolist())) == 1

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.plot(lengths, sizes, "o-", color="#0072B2")
axes.set_xlabel("time steps")
axes.set_ylabel("operations recorded")
axes.set_title("The graph of an LSTM grows by the same piece at every step")
axes.set_xticks(range(0, 21, 4))
axes.grid(alpha=0.3)

# %% [markdown]
# ## Try this
#
# - Write the neuron with `mg.sigmoid` instead of `mg.tanh` and compare the two
#   pictures.
# - Use `w` a second time, say `loss + (w * w).sum()`: which lines appear?
# - Give `x` a gradient, too: which box gets a new line?
# - `mg.draw(total, level="op").save("lstm.pdf")` for a poster.
#
# ## Exercises
#
# 1. Predict the lines that `my_backward` printed, with pencil and paper, from the
#    last to the first.
# 2. Write `my_forward(loss, changed)`, which computes the loss again from the list of
#    nodes with another array for some leaf. Check it with the weight `[1.0, 0.0]`.
# 3. In which lines would `my_backward` go wrong if nodes were visited in the order in
#    which they were found, and not by `seq`? Make an expression for which it does.

# %% [markdown]
# ### Solution 1
#
# With $u = x \cdot w + b = 0.1$: the power gives $2 (y - 1)$; the subtraction passes it
# on; tanh multiplies by $1 - y^2$; the addition gives the same to both; the sum repeats
# it for both entries; the product multiplies by $x$.

# %%
value = np.tanh(0.1)
g = 2 * (value - 1) * (1 - value**2)
assert np.isclose(mine["b"], g)
assert np.allclose(mine["w"], g * np.array([1.0, -2.0]))

# %% [markdown]
# ### Solution 2


# %%
def my_forward(loss, changed):
    known = {}

    def value(edge):
        if isinstance(edge.source, Leaf):
            return changed.get(edge.source.name, edge.array)
        return known.get(edge.source, edge.array)

    for node in sorted(ancestors([loss.node]), key=lambda node: node.seq):
        known[node] = node.primitive.value(*map(value, node.edges), **node.attrs)
    return known[loss.node]


again = my_forward(loss, {"w": np.array([1.0, 0.0])})
assert np.isclose(again, (np.tanh(1.0 + 0.1) - 1.0) ** 2)
assert np.isclose(again, mg.replay(loss, {w: np.array([1.0, 0.0])}))

# %% [markdown]
# ### Solution 3
#
# A node may be visited before all contributions to it have arrived: `found[node]` is
# read too early. It takes something that is used twice, once directly and once on a
# longer way. Below, `s` is found first through the addition, when the part that comes
# through the square is still missing. By `seq` it cannot happen: whatever uses `s` is
# younger than `s`.

# %%
a = mg.tensor(3.0, requires_grad=True)
s = a * 2.0
r = s + s**2
early = 1.0 * 2.0  # only what came through the addition
late = (1.0 + 2 * 6.0) * 2.0
(g,) = mg.grad(r, [a])
assert g.item() == late != early

# %% [markdown]
# ## Sources
#
# - The idea that a graph is data which readers interpret: M. Johnson, D. Duvenaud, D.
#   Maclaurin, *Autodidact*, 2017. https://github.com/mattjj/autodidact
# - A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008, chapter
#   3.
#
# Next: a network that reads a sentence, and a gradient that travels back through time
# without anybody having said so.

# %%
plt.show()  # as a script: all figures, in windows
