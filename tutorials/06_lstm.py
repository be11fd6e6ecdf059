# %% [markdown]
# # 6. The LSTM, gate by gate
#
# An LSTM has a memory, and three gates decide what is kept, what is let in and what is
# shown. First we set the gates ourselves to see how they work. Then we test two stories
# that are often told about them.
#
# *Time to run: about 12 s.*
#
# **You will be able to**
#
# - write an LSTM's equations, and find each of them in the graph;
# - say exactly what happens at f = 0 and at f = 1;
# - read a table that shows the gates word by word;
# - test a story about a gate instead of believing it.
#
# You need: lessons 1 to 4.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import LSTM, LSTMCell, unroll

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

# %% [markdown]
# ## Six equations
#
# An LSTM computes these from the input $x$, the previous hidden state $h$ and the
# previous cell state $c$:
#
# $$
# \begin{aligned}
# i &= \sigma(x W_{xi} + h W_{hi} + b_i) && \text{input gate: what is let in} \\
# f &= \sigma(x W_{xf} + h W_{hf} + b_f) && \text{forget gate: what is kept} \\
# o &= \sigma(x W_{xo} + h W_{ho} + b_o) && \text{output gate: what is shown} \\
# g &= \tanh(x W_{xg} + h W_{hg} + b_g) && \text{candidate: what could be written} \\
# c' &= f \ast c + i \ast g && \text{cell state: the memory} \\
# h' &= o \ast \tanh(c') && \text{hidden state: what the rest of the network sees}
# \end{aligned}
# $$
#
# Here is the graph of one step. The cell state goes straight through it: it is
# multiplied once and something is added to it, but it passes through no tanh or sigmoid
# on its way.

# %%
cell = LSTMCell(input_size=2, hidden_size=3, rng=0)
x = mg.tensor([[1.0, -1.0]], name="x")
with mg.time_step(0):
    h, c = cell(x, cell.zero_state(1))
mg.draw(h.sum(), level="op")

# %% [markdown]
# ## Gates that we set
#
# A gate is a sigmoid, so a very large bias opens it and a very negative bias closes it.
# In exact mathematics a sigmoid never reaches 0 or 1. But in floating point
# $\sigma(1000)$ is exactly 1 and $\sigma(-1000)$ is exactly 0. In the next cell all
# weights are zero, and we choose the biases. The memory starts as `[2, 4, 6]`, nothing
# is let in, and the forget gate is either open or closed.


# %%
def with_gates(i, f, o):
    """A cell of three units with the gates that we choose, whatever it reads."""
    cell = LSTMCell(input_size=1, hidden_size=3, rng=0)
    for weight in (cell.W_x, cell.W_h):
        weight.data = np.zeros(weight.shape)
    b = np.zeros(12)
    for letter, value in (("i", i), ("f", f), ("o", o)):
        with np.errstate(divide="ignore"):
            odds = np.log(value) - np.log1p(-np.asarray(value, float))
        b[cell.columns(letter)] = np.clip(odds, -1000, 1000)
    cell.b.data = b
    return cell


start = (mg.zeros((1, 3)), mg.tensor([[2.0, 4.0, 6.0]]))
nothing = mg.zeros((50, 1, 1))

keeps = unroll(with_gates(i=0.0, f=1.0, o=1.0), nothing, start)
forgets = unroll(with_gates(i=0.0, f=0.0, o=1.0), nothing, start)
print("f = 1: after 50 steps c =", keeps["c"][-1, 0])
print("f = 0: after  1 step  c =", forgets["c"][0, 0])
assert (keeps["f"] == 1).all() and (keeps["c"] == [2.0, 4.0, 6.0]).all()
assert (forgets["f"] == 0).all() and (forgets["c"] == 0).all()

# %% [markdown]
# At f = 1 the memory is kept for ever, to the last bit. At f = 0 it is gone at once,
# because $c_{t-1} \ast 0 = 0$. The same happens to the gradient, because it passes
# through the same product:

# %%
memory = mg.tensor([[2.0, 4.0, 6.0]], requires_grad=True, name="c0")
for f in (1.0, 0.99, 0.5, 0.0):
    loop = unroll(with_gates(i=0.0, f=f, o=1.0), nothing, (mg.zeros((1, 3)), memory))
    (g,) = mg.grad(loop.states[-1][1].sum(), [memory])
    print(f"f = {f:<4}: d c_50 / d c_0 = {g.data[0, 0]:.3g}")
    assert np.allclose(g.data, f**50, rtol=1e-12, atol=0)

# %% [markdown]
# Now set the gates by hand. The first input is one bit, +1 or -1. All later inputs are
# noise. The forget gate says how much of the memory is kept at each step, the input
# gate how much of the noise comes in. Can you hold the bit for 100 steps? Is there a
# setting that holds it for 100 steps and still lets a tenth of the noise in?

# %%
from minigrad.demos import one_bit

knobs = mg.explore(
    one_bit,
    title="Hold one bit: two gates by hand",
    forget_gate=[0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0],
    input_gate=[0.0, 0.01, 0.1, 0.3, 1.0],
    T=[2, 5, 20, 100],
)
assert knobs.at(forget_gate=1.0, input_gate=0.0, T=100)["right at the end"] == 1
assert knobs.at(forget_gate=0.5, input_gate=0.1, T=100)["right at the end"] < 0.7

# %%
knobs

# %% [markdown]
# ## A gate per number
#
# A gate is a vector: each number of the memory has its own entry in the gate. Study
# notes often give the example $[2\ 4\ 6] \ast [0\ 2\ 0] = [0\ 8\ 0]$, in which the
# first and the last number are forgotten. The arithmetic is right. But no gate can be
# 2, because a sigmoid is never larger than 1. A forget gate can only keep a number or
# make it smaller. If a number doubles, something must have been added through the input
# gate.

# %%
notes = mg.tensor([2.0, 4.0, 6.0]) * mg.tensor([0.0, 2.0, 0.0])
print("the notes:      ", notes.data)
assert notes.data.tolist() == [0.0, 8.0, 0.0]

real = unroll(with_gates(i=0.0, f=[0.0, 1.0, 0.0], o=1.0), nothing[:1], start)
print("with real gates:", real["c"][0, 0])
assert real["c"][0, 0].tolist() == [0.0, 4.0, 0.0]

# %% [markdown]
# ## The first story: "Bob is a nice person. Dan, on the other hand, is evil."
#
# The story says that the forget gate falls at "Dan", so that Bob leaves the memory.
# This is a claim about a *trained* network, so we train one. It reads sentences like
# this one, with eight different names. After each word the network has to say whom the
# sentence is about.

# %%
NAMES = "bob dan ann eve tom sue joe kim".split()
FIRST = "{0} is a nice person . {1} on the other hand is evil".split()
SLOT = FIRST.index("{1}")
words = sorted({*NAMES, *(word for word in FIRST if "{" not in word)})
number = {word: k for k, word in enumerate(words)}


def sentences(pairs):
    """Words (T, B) and subjects (T, B), for pairs of names given as numbers (B, 2)."""
    read = [[number[w.format(NAMES[a], NAMES[b])] for a, b in pairs] for w in FIRST]
    subject = [[a if t < SLOT else b for a, b in pairs] for t in range(len(FIRST))]
    return np.array(read), np.array(subject)


class Reader(mg.nn.Module):
    """Reads words; gives a score for each answer after every word."""

    def __init__(self, words, answers, hidden, rng):
        self.table = mg.nn.Embedding(words, 8, rng=rng)
        self.lstm = LSTM(8, hidden, rng=rng)
        self.head = mg.nn.Linear(hidden, answers, rng=rng)

    def forward(self, tokens):
        return self.head(self.lstm(self.table(tokens))[0])

    def look(self, tokens):
        return self.lstm.trace(self.table(tokens))


def train(reader, make_batch, steps, lr=0.02):
    optimizer = mg.optim.Adam(reader.parameters(), lr=lr)
    for _ in range(steps):
        tokens, answers, mask = make_batch()
        loss = mg.losses.cross_entropy(reader(tokens), answers, mask=mask)
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
    return loss.item()


rng = np.random.default_rng(0)


def batch():
    tokens, subject = sentences(rng.integers(0, 8, (32, 2)))
    return tokens, subject, np.ones(tokens.shape, bool)


who = Reader(len(words), len(NAMES), 16, rng=0)
loss = train(who, batch, 250)
pairs = [(a, b) for a in range(8) for b in range(8) if a != b]
tokens, subject = sentences(pairs)
right = (who(tokens).data.argmax(-1) == subject).mean()
print(f"loss {loss:.4f}, right after {right:.1%} of the words in all 56 sentences")
assert right > 0.99

# %% [markdown]
# Now we look at the forget gate at each word. We take the mean over all units and all
# 56 sentences:

# %%
trace = who.look(tokens)
by_word = trace["f"].mean(axis=(1, 2))
shown = [w.format("NAME", "NAME") for w in FIRST]
for t, word in enumerate(shown):
    print(f"{word:7} {by_word[t]:.3f} {'#' * round(40 * by_word[t])}")

at_name, elsewhere = by_word[SLOT], np.delete(by_word, [0, SLOT])
print(f"\nat the second name {at_name:.3f}, at other words {elsewhere.mean():.3f}")
assert at_name < elsewhere.min()

# %% [markdown]
# The gate falls, as the story says. But look at the other words before you believe the
# story. The gate is nearly as low at "." and at "person". Also, a mean over sixteen
# units hides what each unit does. And a low gate does not prove that Bob is gone. A
# better test is to *hold the gate open* and see what happens. So we write the equations
# once more by hand, with a forget gate that we can set to a fixed value at one word.


# %%
def overruled(reader, tokens, at, f_value):
    """The answers (T, B) if the forget gate is set to `f_value` at step `at`."""
    cell = reader.lstm.cells[0]
    h, c = cell.zero_state(tokens.shape[1])
    answers = []
    for t, x in enumerate(mg.unstack(reader.table(tokens))):
        i, f, g, o = mg.split(x @ cell.W_x + h @ cell.W_h + cell.b, 4, axis=1)
        f = mg.sigmoid(f) if t != at else mg.full(f.shape, f_value)
        c = f * c + mg.sigmoid(i) * mg.tanh(g)
        h = mg.sigmoid(o) * mg.tanh(c)
        answers.append(reader.head(h).data.argmax(-1))
    return np.array(answers)


def judge(reader):
    """Five measurements of the story on one trained reader."""
    trace = reader.look(tokens)
    f = trace["f"].mean(axis=(1, 2))
    after = slice(SLOT, None)
    free = overruled(reader, tokens, -1, 0.0)
    assert (free == reader(tokens).data.argmax(-1)).all()  # the same equations
    held_open = overruled(reader, tokens, SLOT, 1.0)
    held_shut = overruled(reader, tokens, SLOT, 0.0)
    return {
        "gate at the second name": f[SLOT],
        "gate at the other words": np.delete(f, [0, SLOT]).mean(),
        "right from there on": (free[after] == subject[after]).mean(),
        "... with the gate held open": (held_open[after] == subject[after]).mean(),
        "... with the gate held shut": (held_shut[after] == subject[after]).mean(),
    }


readers = [who]
for seed in range(1, 3):
    rng = np.random.default_rng(seed)
    other = Reader(len(words), len(NAMES), 16, rng=seed)
    train(other, batch, 250)
    readers.append(other)
verdicts = [judge(reader) for reader in readers]
for question in verdicts[0]:
    values = [verdict[question] for verdict in verdicts]
    print(f"{question:29}", "  ".join(f"{value:.3f}" for value in values))

free, held_open, held_shut = (
    [verdict[question] for verdict in verdicts] for question in list(verdicts[0])[2:]
)
assert min(free) > 0.99 and min(held_shut) > 0.99
assert max(held_open) < 0.8

# %% [markdown]
# This is real evidence. We trained three networks from different random starts, and in
# each of them the gate is lower at the second name. If we hold the gate open there,
# many answers become wrong, because Bob is still in the memory. If we hold it shut, so
# that *everything* is forgotten, the answers stay right.
#
# This heat map shows each unit separately.

# %%
f = trace["f"].mean(axis=1)  # over the sentences: (T, units)
figure, axes = plt.subplots(figsize=(7.4, 4.2), layout="constrained")
image = axes.imshow(f.T, cmap="cividis", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(len(shown)), shown, rotation=40, ha="right")
axes.set_ylabel("unit")
axes.set_title("The forget gate of each unit, at each word (mean over 56 sentences)")
figure.colorbar(image, ax=axes, label="0: forget, 1: keep")

# %% [markdown]
# ## The second story: the navy, the phone
#
# "Bob knows swimming. He told me over the phone that he had served the navy for 4
# years." The navy matters and the phone does not. So, says the story, the input gate
# opens at "navy" and stays shut at "phone". Again we make sentences of this kind. At
# the end the network has to say in which service Bob was. The device (phone, radio and
# so on), the service and the number of years are random.

# %%
SECOND = (
    "bob knows swimming . he told me over the {0} "
    "that he had served the {1} for {2} years"
).split()
DEVICES = "phone radio wall table".split()
SERVICES = "navy army police post".split()
YEARS = "2 3 4 5".split()
DEVICE, SERVICE = SECOND.index("{0}"), SECOND.index("{1}")
words = sorted({*DEVICES, *SERVICES, *YEARS, *(w for w in SECOND if "{" not in w)})
number = {word: k for k, word in enumerate(words)}


def reports(choices):
    """Words (T, B), for choices of device, service and years (B, 3)."""
    return np.array(
        [
            [number[w.format(DEVICES[d], SERVICES[s], YEARS[y])] for d, s, y in choices]
            for w in SECOND
        ]
    )


def batch():
    choices = rng.integers(0, 4, (32, 3))
    tokens = reports(choices)
    last = np.zeros(tokens.shape, bool)
    last[-1] = True
    return tokens, np.broadcast_to(choices[:, 1], tokens.shape), last


rng = np.random.default_rng(0)
which = Reader(len(words), 4, 16, rng=0)
loss = train(which, batch, 120)
every = np.array([(d, s, y) for d in range(4) for s in range(4) for y in range(4)])
tokens = reports(every)
right = (which(tokens).data[-1].argmax(-1) == every[:, 1]).mean()
print(f"loss {loss:.5f}, right at the end of {right:.1%} of the 64 sentences")
assert right == 1.0

# %%
trace = which.look(tokens)
gate = trace["i"].mean(axis=(1, 2))
written = np.abs(trace["i"] * trace["g"]).mean(axis=(1, 2))
for name, t in (("device", DEVICE), ("service", SERVICE)):
    print(f"at the {name:8} input gate {gate[t]:.3f}, written |i * g| {written[t]:.3f}")
print(
    f"over all words   input gate {gate.mean():.3f}, written |i * g| "
    f"{written.mean():.3f}"
)

# %% [markdown]
# Again we add a test that does not look at the gates at all. If we change one word, how
# much does the memory at the end change?


# %%
def moved_by(column):
    """The mean change of the last cell state if one of the choices is changed."""
    changed = every.copy()
    changed[:, column] = (changed[:, column] + 1) % 4
    other = which.look(reports(changed))["c"][-1]
    return np.linalg.norm(other - trace["c"][-1], axis=1).mean()


by_device, by_service = moved_by(0), moved_by(1)
print(f"another device changes the memory by {by_device:.3f}")
print(f"another service changes it by {by_service:.3f}")
assert by_service > 10 * by_device

# %% [markdown]
# The result agrees with the story: the network remembers the service, and not the
# device. But it does not do this *in the way* that the story says. At the device, the
# input gate is far from shut. Something is written into the memory there, and at the
# end it is gone or ignored. So an open gate alone tells us little about what is
# remembered.

# %%
assert gate[DEVICE] > 0.5  # not shut
assert written[SERVICE] > written[DEVICE]

figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(7.4, 4.6), sharex=True, layout="constrained"
)
shown = [w.format("DEVICE", "SERVICE", "YEARS") for w in SECOND]
for axes, values, label in (
    (upper, gate, "mean input gate"),
    (lower, written, "written: mean |i · g|"),
):
    colors = [{DEVICE: ORANGE, SERVICE: GREEN}.get(t, BLUE) for t in range(len(shown))]
    axes.bar(range(len(shown)), values, color=colors)
    axes.set_ylabel(label)
    axes.grid(axis="y", alpha=0.3)
upper.set_title("What is let in at each word (mean over 64 sentences)")
lower.set_xticks(range(len(shown)), shown, rotation=60, ha="right")

# %% [markdown]
# You can do the same with real sentences. The command `minigrad tour "I loved the
# movie, but the ending was disappointing"` trains a network on film reviews, prints a
# table of the gates word by word, and tests the textbook's story about "but".
#
# ## Try this
#
# - Train with `LSTM(8, hidden, forget_gate=False, rng=rng)`. Can the network still
#   learn both tasks?
# - Look at the output gate in the first story: `trace["o"]`.
# - Use 4 units instead of 16. Is it easier to see what each gate does?
# - Replace the sentence in `FIRST` with one of your own that also has two names.
#
# ## Exercises
#
# 1. The forget gate starts with a bias of 1. What is $f$ if the input and the hidden
#    state are zero? How much of a memory is left after 20 steps with this $f$?
# 2. Set the gates with `with_gates` so that the memory counts the steps: after T steps
#    it should be exactly T. What does $h$ show?
# 3. How many numbers are learned in an LSTM with D inputs and H units? Check your
#    formula for D = 8 and H = 16. How many of these numbers belong to the forget gate?

# %% [markdown]
# ### Solution 1
#
# $f = \sigma(1) = 0.731$, and $0.731^{20} = 0.0019$ of the memory is left. A bias of 1
# makes the cell forget more slowly, but it still forgets. Lesson 7 is about this.

# %%
fresh = LSTMCell(input_size=1, hidden_size=3, rng=0)
for weight in (fresh.W_x, fresh.W_h):
    weight.data = np.zeros(weight.shape)
loop = unroll(fresh, mg.zeros((20, 1, 1)), start)
assert np.allclose(loop["f"], 1 / (1 + np.exp(-1.0)))
assert np.isclose(0.731**20, 0.0019, rtol=0.01)

# %% [markdown]
# ### Solution 2
#
# Keep everything and let everything in: f = 1 and i = 1. The candidate has to be 1. It
# is a tanh, so it needs a large number, and a large weight on the input gives that. $h$
# is $\tanh(T)$, which is nearly 1 for every large T. So the memory can count, but the
# hidden state cannot show the count.

# %%
counter = with_gates(i=1.0, f=1.0, o=1.0)
W_x = np.zeros(counter.W_x.shape)
W_x[:, counter.columns("g")] = 1000.0
counter.W_x.data = W_x
loop = unroll(counter, mg.ones((30, 1, 1)), (mg.zeros((1, 3)), mg.zeros((1, 3))))
assert loop["c"][:, 0, 0].tolist() == list(range(1, 31))
assert np.allclose(loop["h"][:, 0, 0], np.tanh(np.arange(1, 31)))

# %% [markdown]
# ### Solution 3
#
# Each of the three gates and the candidate has $D H + H H + H$ numbers. Together these
# are $4 H (D + H + 1)$ numbers, and a quarter of them belong to the forget gate.

# %%
count = sum(p.size for p in who.lstm.parameters())
assert count == 4 * 16 * (8 + 16 + 1) == 1600

# %% [markdown]
# ## Sources
#
# - S. Hochreiter, J. Schmidhuber, *Long short-term memory*, Neural Computation 9
#   (1997): the cell without a forget gate.
# - F. A. Gers, J. Schmidhuber, F. Cummins, *Learning to forget: continual prediction
#   with LSTM*, Neural Computation 12 (2000).
# - R. Jozefowicz, W. Zaremba, I. Sutskever, *An empirical exploration of recurrent
#   network architectures*, 2015: the forget bias.
#
# Next: why the gradient of an LSTM survives, and when it does not.

# %%
plt.show()  # in a script, this opens all figures in windows
