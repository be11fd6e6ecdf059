# %% [markdown]
# # 1. A tensor and its chain rule
#
# What an array that remembers how it was made can tell: how much every number in it
# mattered.
#
# *Time to run: about 3 s.*
#
# **You will be able to**
#
# - compute with tensors, and ask one for its gradients;
# - say what the chain rule does at one operation, and check it by hand;
# - take a step of learning, `p.data = p.data - lr * p.grad.data`;
# - convince yourself that a gradient is right, in two independent ways.
#
# You need: NumPy, and the derivative of a product. Nothing about networks yet.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg

# %% [markdown]
# ## An array that remembers
#
# A tensor holds an array. With `requires_grad=True` it says: I want to know how the
# result depends on me. The names are only for messages and pictures.

# %%
a = mg.tensor(2.0, requires_grad=True, name="a")
b = mg.tensor(-3.0, requires_grad=True, name="b")
y = a * b + a
y

# %% [markdown]
# The last line shows what `y` is: its value, and that an addition made it. Behind it
# stands a record of plain data: which operation, and where its inputs came from.

# %%
print(y.node.primitive.name, "of", [edge.array.item() for edge in y.node.edges])
product = y.node.edges[0].source
print(product.primitive.name, "of", [edge.source.name for edge in product.edges])

# %% [markdown]
# Such records form a graph, and the graph can be drawn. Drag to move it, turn the wheel
# to zoom, click a box. (`mg.draw(y).save("graph.svg")` writes a file.)

# %%
mg.draw(y, values=True, gradients=True)

# %% [markdown]
# ## The chain rule, once per operation
#
# `y.backward()` walks this graph from the result to the inputs. At each operation it
# knows one number already: how much the result changes when this operation's output
# changes. It multiplies it by the operation's own derivative and passes it on. For a
# product $u = a b$ that is
#
# $$
# \text{to } a: \quad \frac{\partial y}{\partial u} \cdot b
# \qquad\qquad
# \text{to } b: \quad \frac{\partial y}{\partial u} \cdot a
# $$
#
# These are contributions, and contributions are added. Here `a` is used twice, in the
# product and in the sum: it gets $-3$ from the one and $1$ from the other.

# %%
y.backward()
print("dy/da =", a.grad.item(), "   dy/db =", b.grad.item())
assert a.grad.item() == -3.0 + 1.0
assert b.grad.item() == 2.0

# %% [markdown]
# Two things are unlike other libraries, on purpose. The graph is still there, to be
# looked at. And a second `backward()` adds a second gradient, a correct one:

# %%
y.backward()
assert a.grad.item() == 2 * (-3.0 + 1.0)

# %% [markdown]
# `mg.grad` gives gradients without touching `.grad`, which is often clearer.

# %%
(da, db) = mg.grad(y, [a, b])
assert (da.item(), db.item()) == (-2.0, 2.0)
assert a.grad.item() == -4.0  # as it was

# %% [markdown]
# ## Arrays
#
# The same with arrays, which is where it pays. The numbers below are those of the
# vector story that you will meet again at the LSTM's forget gate: a memory of three
# numbers, and a gate that lets only the second pass.

# %%
memory = mg.tensor([2.0, 4.0, 6.0], requires_grad=True, name="memory")
gate = mg.tensor([0.0, 2.0, 0.0], requires_grad=True, name="gate")
kept = memory * gate
kept.data

# %%
assert kept.data.tolist() == [0.0, 8.0, 0.0]

# %% [markdown]
# What is multiplied by zero is gone, and so is its gradient: no change of the first and
# the last number can be felt any more. Remember this picture when gates close.

# %%
kept.sum().backward()
print("d/d memory:", memory.grad.data)
print("d/d gate:  ", gate.grad.data)
assert memory.grad.data.tolist() == gate.data.tolist()
assert gate.grad.data.tolist() == memory.data.tolist()

# %% [markdown]
# A gradient belongs to one number, the result. Asked of three numbers at once,
# `backward()` does not guess: it says what it needs.

# %%
try:
    (memory * gate).backward()
except mg.errors.MinigradError as error:
    print(error)
else:
    raise AssertionError("that should have been an error")

# %% [markdown]
# ## Is it right? Ask twice
#
# A gradient claims something that can be tested: move an input by a little, and the
# output moves by the gradient times that little. Below, the slope of $\tanh(x)\,x$ from
# the chain rule, and from two evaluations close together.


# %%
def f(x):
    return mg.tanh(x) * x


x = mg.tensor(np.linspace(-3, 3, 121), requires_grad=True, name="x")
(slope,) = mg.grad(f(x).sum(), [x])
h = 1e-6
secant = (f(x + h) - f(x - h)).data / (2 * h)
assert np.abs(slope.data - secant).max() < 1e-9

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.plot(x.data, f(x).data, color="#0072B2", label="tanh(x) · x")
axes.plot(x.data, slope.data, color="#D55E00", label="its slope, by the chain rule")
axes.plot(
    x.data[::8], secant[::8], "o", color="#D55E00", mfc="none", label="by moving x"
)
axes.set_xlabel("x")
axes.set_title("A slope, computed in two ways")
axes.grid(alpha=0.3)
axes.legend()

# %% [markdown]
# `mg.gradcheck` does such a test for any function, at every entry, with a tolerance
# that is relative: a gradient of $10^{-30}$ has to be right, too. For the networks of
# these lessons that is the whole point.

# %%
print(mg.gradcheck(lambda x: f(x).sum(), [mg.tensor([0.3, -2.0], requires_grad=True)]))

# %% [markdown]
# ## One step of learning, and then fifty
#
# To make a number smaller, go against its gradient:
#
# $$
# u \leftarrow u - \mathrm{lr} \cdot \frac{\partial L}{\partial u} .
# $$
#
# In minigrad that is one line. Setting `.data` puts a new array into the parameter; the
# old graph keeps the old array, so it stays true.

# %%
rng = np.random.default_rng(0)
inputs = rng.uniform(-1, 1, 50)
targets = 3.0 * inputs - 1.0 + 0.1 * rng.standard_normal(50)

w = mg.tensor(0.0, requires_grad=True, name="w")
c = mg.tensor(0.0, requires_grad=True, name="c")
losses = []
for _ in range(50):
    loss = mg.losses.mse(w * inputs + c, targets)
    losses.append(loss.item())
    w.grad = c.grad = None
    loss.backward()
    for p in (w, c):
        p.data = p.data - 0.5 * p.grad.data

# %% [markdown]
# NumPy's own least squares says where this has to end.

# %%
best = np.polyfit(inputs, targets, 1)
print(f"learned:       {w.item():.4f} and {c.item():.4f}")
print(f"least squares: {best[0]:.4f} and {best[1]:.4f}")
assert np.allclose([w.item(), c.item()], best, atol=1e-3)

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.semilogy(losses, color="#0072B2")
axes.set_xlabel("step")
axes.set_ylabel("mean squared error")
axes.set_title("A line learns its slope and its intercept")
axes.grid(alpha=0.3)

# %% [markdown]
# ## Try this
#
# - Set the learning rate to 2. What happens, and from which rate on?
# - Replace `mse` by `mg.losses.mae`. Why does it not settle?
# - Give `a` and `b` other values and predict both gradients before you run the cell.
# - Draw `mg.draw(loss)`: find `w`, and count the paths from it to the loss.
#
# ## Exercises
#
# 1. Let $y = x^2 x$ with `x = 3`, written as `(x * x) * x`. How many contributions does
#    `x` get, and which? Check with `mg.grad`.
# 2. `memory * gate` above kills the gradient where the gate is 0. Find a gate for which
#    the result is still exactly `[0, 8, 0]`, and the gradient of the memory is not zero
#    everywhere but in the middle, or show that there is none.
# 3. Write the derivative of the logistic function $s(x) = 1 / (1 + e^{-x})$ in terms of
#    $s$ itself, and check it with `mg.sigmoid` at five points. Where is it largest?

# %% [markdown]
# ### Solution 1
#
# Three, one for each time that it is written: the inner product gives $x \cdot x$ twice
# (once per factor, each times the outer $x$), the outer one gives $x^2$. Together
# $3x^2 = 27$.

# %%
x = mg.tensor(3.0, requires_grad=True)
(g,) = mg.grad((x * x) * x, [x])
contributions = [3.0 * 3.0, 3.0 * 3.0, 3.0**2]
assert g.item() == sum(contributions) == 27.0

# %% [markdown]
# ### Solution 2
#
# There is none. The gradient of the memory *is* the gate, and the gate has to be 0
# wherever a memory that is not 0 has to give 0. Forgetting and cutting the gradient are
# the same act. (With a memory that holds a 0, any gate would do there.)

# %%
for position, value in [(0, 2.0), (2, 6.0)]:
    needed = 0.0 / value
    assert needed == 0.0 and gate.data[position] == needed

# %% [markdown]
# ### Solution 3
#
# $s' = s (1 - s)$, at most $1/4$, at $x = 0$.

# %%
x = mg.tensor([-4.0, -1.0, 0.0, 1.0, 4.0], requires_grad=True)
s = mg.sigmoid(x)
(g,) = mg.grad(s.sum(), [x])
assert np.allclose(g.data, s.data * (1 - s.data), rtol=1e-15)
assert g.data.argmax() == 2 and g.data[2] == 0.25

# %% [markdown]
# ## Sources
#
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, *Automatic
#   differentiation in machine learning: a survey*, 2018.
#   https://arxiv.org/abs/1502.05767
# - A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008.
#
# Next: the same graph, drawn and stepped through.

# %%
plt.show()  # as a script: all figures, in windows
