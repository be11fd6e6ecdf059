# %% [markdown]
# # 1. A tensor and its chain rule
#
# An array that remembers how it was made can tell you how much each of its numbers
# mattered for the result.
#
# *Time to run: about 3 s.*
#
# **You will be able to**
#
# - compute with tensors, and ask for gradients;
# - say what the chain rule does at one operation, and check it by hand;
# - take a step of learning, `p.data = p.data - lr * p.grad.data`;
# - convince yourself that a gradient is right, in two independent ways.
#
# You need: NumPy, and the derivative of a product. You need to know nothing about
# networks yet.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg

# %% [markdown]
# ## An array that remembers
#
# A tensor holds an array. With `requires_grad=True` you say: I want to know how the
# result depends on this tensor. The names are only used in messages and pictures.

# %%
a = mg.tensor(2.0, requires_grad=True, name="a")
b = mg.tensor(-3.0, requires_grad=True, name="b")
y = a * b + a
y

# %% [markdown]
# The last line shows what `y` is: its value, and that an addition made it. Behind it
# there is a record, which is plain data. It says which operation made `y`, and where
# the inputs of that operation came from.

# %%
print(y.node.primitive.name, "of", [edge.array.item() for edge in y.node.edges])
product = y.node.edges[0].source
print(product.primitive.name, "of", [edge.source.name for edge in product.edges])

# %% [markdown]
# These records form a graph, and the graph can be drawn. You can drag the picture to
# move it, turn the mouse wheel to zoom, and click on a box.
# (`mg.draw(y).save("graph.svg")` writes a file.)

# %%
mg.draw(y, values=True, gradients=True)

# %% [markdown]
# ## The chain rule, once per operation
#
# `y.backward()` walks this graph from the result to the inputs. At each operation it
# already knows one number: how much the result changes when this operation's output
# changes. It multiplies this number by the operation's own derivative, and passes the
# product on to the inputs. A multiplication $u = a b$ passes on
#
# $$
# \text{to } a: \quad \frac{\partial y}{\partial u} \cdot b
# \qquad\qquad
# \text{to } b: \quad \frac{\partial y}{\partial u} \cdot a
# $$
#
# We call these contributions. All contributions to the same tensor are added up. Here
# `a` is used twice, in the product and in the sum. It gets $-3$ from the product and
# $1$ from the sum.

# %%
y.backward()
print("dy/da =", a.grad.item(), "   dy/db =", b.grad.item())
assert a.grad.item() == -3.0 + 1.0
assert b.grad.item() == 2.0

# %% [markdown]
# Two things are different from other libraries, on purpose. The graph is still there,
# so you can look at it. And if you call `backward()` a second time, it adds a second,
# correct gradient:

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
# All this also works with arrays, and that is where it becomes useful. The example
# below has a memory of three numbers, and a gate that lets only the second number pass.
# You will meet these numbers again at the forget gate of the LSTM, in lesson 6.

# %%
memory = mg.tensor([2.0, 4.0, 6.0], requires_grad=True, name="memory")
gate = mg.tensor([0.0, 2.0, 0.0], requires_grad=True, name="gate")
kept = memory * gate
kept.data

# %%
assert kept.data.tolist() == [0.0, 8.0, 0.0]

# %% [markdown]
# A number that is multiplied by zero is gone, and so is its gradient. If you change the
# first or the last number now, the result stays the same. Remember this when gates
# close in later lessons.

# %%
kept.sum().backward()
print("d/d memory:", memory.grad.data)
print("d/d gate:  ", gate.grad.data)
assert memory.grad.data.tolist() == gate.data.tolist()
assert gate.grad.data.tolist() == memory.data.tolist()

# %% [markdown]
# A gradient always belongs to one number, the result. If the result has three numbers,
# `backward()` does not guess which one you mean. It says what it needs.

# %%
try:
    (memory * gate).backward()
except mg.errors.MinigradError as error:
    print(error)
else:
    raise AssertionError("that should have been an error")

# %% [markdown]
# ## Is it right? Compute it in a second way
#
# A gradient makes a claim that we can test. If we move an input by a small amount, the
# output should move by the gradient times that amount. The cell below computes the
# slope of $\tanh(x)\,x$ in two ways: with the chain rule, and from the values at two
# points that are close together.


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
axes.plot(x.data, slope.data, color="#D55E00", label="slope, by the chain rule")
axes.plot(
    x.data[::8],
    secant[::8],
    "o",
    color="#D55E00",
    mfc="none",
    label="slope, by moving x",
)
axes.set_xlabel("x")
axes.set_title("A slope, computed in two ways")
axes.grid(alpha=0.3)
axes.legend()

# %% [markdown]
# `mg.gradcheck` runs such a test for any function, and for every entry of its inputs.
# Its tolerance is relative, so even a gradient of $10^{-30}$ has to be right. This
# matters here, because the networks of these lessons have gradients as small as that.

# %%
print(mg.gradcheck(lambda x: f(x).sum(), [mg.tensor([0.3, -2.0], requires_grad=True)]))

# %% [markdown]
# ## One step of learning, and then fifty
#
# To make the loss $L$ smaller, move each parameter $u$ against its gradient:
#
# $$
# u \leftarrow u - \mathrm{lr} \cdot \frac{\partial L}{\partial u} .
# $$
#
# In minigrad this is one line. Setting `.data` puts a new array into the parameter. The
# old graph keeps the old array, so its numbers stay correct.

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
# NumPy can compute the best line directly, by least squares. Our training has to end at
# the same two numbers.

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
# - Set the learning rate to 2. What happens? At which learning rate does it begin to
#   happen?
# - Replace `mse` by `mg.losses.mae`. Why does it not settle?
# - Give `a` and `b` other values and predict both gradients before you run the cell.
# - Draw the loss with `mg.draw(loss)`. Find `w`, and count the paths from `w` to the
#   loss.
#
# ## Exercises
#
# 1. Let $y = x^2 x$ with `x = 3`, written as `(x * x) * x`. How many contributions does
#    `x` get, and what are they? Check with `mg.grad`.
# 2. In `memory * gate` above, the gradient of the memory is 0 wherever the gate is 0.
#    Is there a gate that still gives exactly `[0, 8, 0]`, but does not make the
#    gradients of both outer numbers 0? Find one, or show that there is none.
# 3. Write the derivative of the logistic function $s(x) = 1 / (1 + e^{-x})$ in terms of
#    $s$ itself, and check it with `mg.sigmoid` at five points. Where is it largest?

# %% [markdown]
# ### Solution 1
#
# It gets three contributions, one for each time that `x` is written. The inner product
# gives $x \cdot x$ twice: each of its factors gets the other factor, times the outer
# $x$. The outer product gives $x^2$. Together this is $3x^2 = 27$.

# %%
x = mg.tensor(3.0, requires_grad=True)
(g,) = mg.grad((x * x) * x, [x])
contributions = [3.0 * 3.0, 3.0 * 3.0, 3.0**2]
assert g.item() == sum(contributions) == 27.0

# %% [markdown]
# ### Solution 2
#
# There is none. The gradient of the memory *is* the gate. Where the memory is not 0 and
# the result has to be 0, the gate must be 0. So if a gate forgets a number, it also
# cuts off the gradient of that number. (If the memory itself holds a 0, any gate would
# do at that place.)

# %%
for position, value in [(0, 2.0), (2, 6.0)]:
    needed = 0.0 / value
    assert needed == 0.0 and gate.data[position] == needed

# %% [markdown]
# ### Solution 3
#
# The derivative is $s' = s (1 - s)$. It is largest at $x = 0$, where it is $1/4$.

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
# Next: we draw such a graph, and step through it.

# %%
plt.show()  # in a script, this opens all figures in windows
