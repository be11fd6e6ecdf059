# %% [markdown]
# # 2. One graph, drawn and stepped through
#
# A computation leaves behind a graph, which is plain data. Pictures and gradients are
# both read from this graph. You will write a backward pass that reads it yourself.
#
# *Time to run: about 5 s.*
#
# **You will be able to**
#
# - read the picture of a graph: its boxes, lines, colours and numbers;
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
# ## One neuron
#
# Our neuron has two inputs, two weights, a bias and the squashing function tanh. The
# loss says how far its answer is from 1.

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
# and the gradient of that array backwards. With `gradients=True`, the line's colour,
# its width and the number on it say how large this gradient is. We did not ask for a
# gradient of the input `x`, so nothing flows back to it.

# %%
mg.draw(loss, values=True, gradients=True)

# %% [markdown]
# ## The same graph as a list
#
# A node knows its primitive (the basic operation that it ran), its inputs and its
# outputs. It also knows when it was made: its number `seq` is larger than that of every
# node before it. A node is always made after its inputs. So if we sort the nodes by
# `seq`, we can compute everything again by going through the list from the start. If we
# go through it from the end, we can compute the gradients.

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
# Go through the list from its end. For everything seen so far, `found` holds how much
# the loss changes when that thing changes. A primitive's rule, `pull`, takes the
# gradient of its output and returns what each of its inputs gets. Contributions to the
# same node or leaf are added up. (A leaf is a tensor that no operation made, such as
# `w`.) That is the whole algorithm.


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
# minigrad's own backward pass is the same loop with some care added. It sums over the
# axes along which an array was repeated, it skips gradients that nobody needs, and it
# does not visit more nodes than necessary. The numbers are the same.

# %%
dw, db = mg.grad(loss, [w, b])
assert np.allclose(mine["w"], dw.data, rtol=1e-14)
assert np.allclose(mine["b"], db.data, rtol=1e-14)

# %% [markdown]
# `mg.steps` plays the same computation one operation at a time, first forwards and then
# backwards. For each operation it shows what goes in, the rule, and what comes out.
# Press → or the space bar to go on.

# %%
steps = mg.steps(loss)
steps

# %% [markdown]
# The loop uses no recursion, so a long chain is not a problem. Here are twenty thousand
# steps. A recursive function would stop with an error after about a thousand.

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
# A real network has too many operations to look at one by one. But each operation
# remembers in which time step, cell and gate it was recorded, so a picture can group
# the operations. Here is an LSTM that reads three words, drawn with one box per
# step ...

# %%
words = ["sky", "is", "blue"]
lstm = LSTM(input_size=2, hidden_size=3, rng=0)
sequence = mg.tensor(np.random.default_rng(0).standard_normal((3, 1, 2)), name="x")
output, (h, c) = lstm(sequence)
total = h.sum()
mg.draw(total, level="cell", words=words)

# %% [markdown]
# ... with one box per gate ...

# %%
mg.draw(total, level="gate", words=words, gradients=True)

# %% [markdown]
# ... and with every operation. It is the same graph each time.

# %%
pictures = {k: mg.draw(total, level=k) for k in ("cell", "gate", "op")}
boxes = {k: len(d.picture.boxes) for k, d in pictures.items()}
print(boxes)
assert boxes["cell"] < boxes["gate"] < boxes["op"]
assert len({len(d.picture.nodes) for d in pictures.values()}) == 1
pictures["op"]

# %% [markdown]
# Next we count the operations, to see how the graph grows with the length of the
# sequence.

# %%
lengths = np.arange(1, 21)
sizes = []
for length in lengths:
    out, _ = lstm(mg.ones((int(length), 1, 2)))
    sizes.append(len(list(ancestors([out.sum().node]))))
growth = np.diff(sizes)
print("operations added per step:", sorted(set(growth.tolist())))
assert len(set(growth[1:].tolist())) == 1

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.plot(lengths, sizes, "o-", color="#0072B2")
axes.set_xlabel("time steps")
axes.set_ylabel("operations recorded")
axes.set_title("Every step adds the same number of operations to an LSTM's graph")
axes.set_xticks(range(0, 21, 4))
axes.grid(alpha=0.3)

# %% [markdown]
# ## Try this
#
# - Write the neuron with `mg.sigmoid` instead of `mg.tanh` and compare the two
#   pictures.
# - Use `w` a second time, for example `loss + (w * w).sum()`. Which new lines appear?
# - Ask for a gradient of `x`, too. Which box gets a new line?
# - Make a poster: `mg.draw(total, level="op").save("lstm.pdf")`.
#
# ## Exercises
#
# 1. With pencil and paper, work out the numbers that `my_backward` printed. Start at
#    the loss.
# 2. Write `my_forward(loss, changed)`. It takes new arrays for some leaves, and
#    computes the loss again from the list of nodes. Check it with the weight
#    `[1.0, 0.0]`.
# 3. Suppose that `my_backward` visited nodes in the order in which it found them, and
#    not by `seq`. Which line of the code would go wrong? Write an expression for which
#    it does.

# %% [markdown]
# ### Solution 1
#
# Here $u = x \cdot w + b = 0.1$ and $y = \tanh(u)$. The power gives $2 (y - 1)$. The
# subtraction passes it on unchanged. The tanh multiplies it by $1 - y^2$. The addition
# gives the same number to both of its inputs. The sum repeats it for both entries. The
# product multiplies it by $x$.

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
# A node may be visited before all contributions to it have arrived. Then
# `g = found[node]` is read too early. For this to happen, something must be used twice:
# once directly, and once on a longer path. Below, `s` is found first through the
# addition, and at that time the part that comes through the square is still missing. In
# the order of `seq` this cannot happen, because everything that uses `s` was made after
# `s`.

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
# - M. Johnson, D. Duvenaud, D. Maclaurin, *Autodidact*, 2017: the idea that a graph is
#   data, and that other code reads it. https://github.com/mattjj/autodidact
# - A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008, chapter
#   3.
#
# Next: a network reads a sentence, and its gradient travels back through time. Nobody
# has to program that.

# %%
plt.show()  # in a script, this opens all figures in windows
