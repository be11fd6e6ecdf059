# %% [markdown]
# # 15. Encoder and decoder: a long gap made short
#
# A network reads a sentence and says another one. With one state between the two
# halves, everything has to fit through it. Attention lets the second half look back,
# and the gradient takes the same short way.
#
# *Time to run: about 35 s.*
#
# **You will be able to**
#
# - draw an encoder and a decoder as two loops, and say what is handed on between them;
# - measure how much of a loss reaches the first input word, with attention and without;
# - train both on the same task, and compare them sentence length by sentence length;
# - read an attention map, and say what it shows and what it does not.
#
# You need: lessons 4, 7 and 9.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import Translator
from minigrad.tasks.translation_search import translations
from minigrad.tasks.translation_views import owed

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
BEGIN, END, LETTERS = 2, 3, 8  # 0 is padding, 1 the unknown; letters are 4 to 11
ALPHABET = ["", "?", "<s>", "</s>", *"abcdefgh"]

# %% [markdown]
# ## Two loops
#
# The **encoder** reads the words of one language, one per step. Its last state is the
# first state of the **decoder**. The decoder says one word per step, and reads the word
# that it said before. So there are two loops, and one state is all that goes from the
# first to the second.


# %%
def translator(attention, hidden=48, seed=0):
    """A small encoder and decoder; both are GRUs, and the encoder reads forward."""
    return Translator(
        4 + LETTERS, 4 + LETTERS, "gru", attention,
        embedding_size=16, hidden_size=hidden, directions=1, dropout=0.0, rng=seed,
    )  # fmt: skip


source, said = np.array([[4], [5], [6]]), np.array([[BEGIN], [6], [5], [4], [END]])
plain, looking = translator("none", 6), translator("additive", 6)
output = plain.decode(plain.encode(source), said[:-1])[2].output
drawing = mg.draw(output, level="cell")
assert "encoder" in drawing.dot and "decoder" in drawing.dot
drawing

# %% [markdown]
# With **attention**, the decoder also gets a mean of all the encoder's outputs. The
# weights of this mean are made anew at each step: the decoder's state is compared with
# each output, and a softmax turns the scores into weights that add up to 1.
#
# $$e_s = v \cdot \tanh(h\,W_q + \bar h_s\,W_k), \qquad a = \mathrm{softmax}(e), \qquad
# \mathrm{context} = \sum_s a_s\,\bar h_s$$
#
# Nobody wrote the backward pass of this. It is products, sums, a tanh and a softmax, so
# the engine finds it.

# %%
output = looking.decode(looking.encode(source), said[:-1])[2].output
drawing = mg.draw(output, level="gate")
assert "attention" in drawing.dot
drawing

# %% [markdown]
# ## How far back does a loss reach?
#
# Here the task is synthetic: a string of letters is to be said in reverse. We can make
# strings of any length, and we know what each output depends on. The *last* output is
# the *first* letter. Without attention, the way between them is the whole of the
# encoder and the whole of the decoder: for a string of 20 letters some 40 steps.
#
# We measure the gradient of the last letter's loss for the vector of the first letter,
# in networks that have not been trained. Each length gets ten strings.


# %%
def strings(rng, count, letters):
    """Strings (T, count) and their reversals between the two marks."""
    some = rng.integers(4, 4 + LETTERS, (letters, count))
    marks = [np.full((1, count), mark) for mark in (BEGIN, END)]
    return some, np.concatenate([marks[0], some[::-1], marks[1]])


def reach(model, letters):
    """The size of the gradient of the last letter's loss for the first letter."""
    some, target = strings(np.random.default_rng(1), 10, letters)
    x = mg.tensor(model.embed_source(some).data, requires_grad=True)
    logits = model.decode(model.encode(some, x=x), target[:-1])[0]
    loss = mg.losses.cross_entropy(logits[letters - 1], target[letters])
    (g,) = mg.grad(loss, [x])
    return float(np.linalg.norm(g.data[0]))


lengths = [2, 4, 8, 16, 24, 32]
untrained = {name: translator(name) for name in ("none", "additive")}
reached = {name: [reach(m, n) for n in lengths] for name, m in untrained.items()}
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for (name, values), color in zip(reached.items(), (ORANGE, BLUE), strict=True):
    axes.semilogy(lengths, values, "o-", color=color, label=f"attention: {name}")
axes.set_xlabel("letters of the string")
axes.set_ylabel("gradient at the first letter")
axes.legend()
assert reached["none"][-1] < 1e-6 * reached["none"][0]
assert reached["additive"][-1] > 1e3 * reached["none"][-1]

# %% [markdown]
# Through the one state, the gradient falls by the same factor for each further letter:
# this is lesson 4 again, in a longer chain. Through attention it falls much more
# slowly. The weights are near $1/T$ for all letters at first, so a letter far away gets
# its small share *directly*. The encoder still has to carry the letter from its own
# step to its own output, but that is one step.
#
# ## Learning to reverse
#
# Both networks are trained for the same 400 steps, on strings of 2 to 8 letters.


# %%
def trained(attention, steps=400):
    """A translator that has learned to reverse strings; its losses."""
    rng, model, losses = np.random.default_rng(0), translator(attention), []
    optimizer = mg.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        optimizer.lr = 1e-2 * (1 - 0.9 * step / steps)
        some, target = strings(rng, 48, int(rng.integers(2, 9)))
        loss = mg.losses.cross_entropy(model(some, target[:-1]), target[1:])
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return model, losses


def right(model, letters, count=100):
    """The share of new strings of this length that are reversed without a mistake."""
    some, _ = strings(np.random.default_rng(99), count, letters)
    found = translations(model, list(some.T), BEGIN, END)
    pairs = zip(found, some.T, strict=True)
    return float(np.mean([best[0].tokens == list(s[::-1]) for best, s in pairs]))


models, curves = {}, {}
for name in ("none", "additive"):
    models[name], curves[name] = trained(name)
print({name: round(float(np.mean(c[-50:])), 3) for name, c in curves.items()})
assert np.mean(curves["additive"][-50:]) < 0.3 * np.mean(curves["none"][-50:])

# %%
tried = list(range(2, 13))
shares = {name: [right(m, n) for n in tried] for name, m in models.items()}
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for (name, values), color in zip(shares.items(), (ORANGE, BLUE), strict=True):
    axes.plot(tried, values, "o-", color=color, label=f"attention: {name}")
axes.axvspan(2, 8, color="#999999", alpha=0.12)
axes.set_xlabel("letters of the string (grey: the lengths of the training)")
axes.set_ylabel("share without a mistake")
axes.legend()
by_length = dict(zip(tried, zip(*shares.values(), strict=True), strict=True))
assert by_length[2][0] > 0.9 and by_length[2][1] > 0.9  # short strings: both can
assert by_length[7][1] > 0.8 and by_length[7][0] < by_length[7][1] - 0.2
assert by_length[12][0] == 0

# %% [markdown]
# Both can do short strings. As strings grow, the one state becomes too small: it has 48
# numbers, but to *use* them for eight letters has to be learned through a long chain.
# With attention nearly all strings of the trained lengths are right.
#
# It is also honest to look at the right end. Beyond the lengths of the training,
# attention fails as well. It has learned places, and not the idea of reversing.
#
# ## What it looked at

# %%
word = np.array([ALPHABET.index(letter) for letter in "headbag"])
(beam,) = translations(models["additive"], [list(word)], BEGIN, END, 3)
answer = "".join(ALPHABET[k] for k in beam[0].tokens)
print("headbag ->", answer)
assert answer == "gabdaeh"
a = beam[0].attention[:7, :7]
assert np.allclose(beam[0].attention.sum(axis=1), 1, atol=1e-5)

norms, _ = owed(models["additive"], list(word), [BEGIN, *beam[0].tokens, END])
share = norms[:7] / norms[:7].sum(axis=1, keepdims=True)
figure, both = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained")
for axes, values, title in zip(
    both, (a, share), ("attention", "the ledger"), strict=True
):
    axes.imshow(values, cmap="Blues", vmin=0)
    axes.set_xticks(range(7), "headbag")
    axes.set_yticks(range(7), answer)
    axes.set_title(title)
    axes.set_xlabel("letters read")
both[0].set_ylabel("letters said")
near = np.abs(a.argmax(axis=1) - np.arange(7)[::-1])
assert (near <= 1).mean() > 0.7

# %% [markdown]
# Left: where the decoder looked while it said each letter. The dark cells lie on or
# beside the diagonal from the upper right to the lower left: the last letter first, the
# first letter last. A cell *beside* it is no mistake.
# The encoder's output at a letter also knows the letters before, so the network may
# look at a neighbour.
#
# Right: the **ledger**. It splits the gradient of each letter's loss by the encoder's
# step that it came from. This is what training would change. The map says where the
# model looked, the ledger says what its error would be blamed on. They need not agree,
# and neither of them alone is an explanation of the answer.
#
# ## Real sentences
#
# `minigrad train translation` does the same with 13,000 English and German sentences,
# in some minutes. `minigrad predict translation "Where is my car?"` shows the map, the
# ledger and the beam of a sentence of yours.
#
# ## Try this
#
# - Let the encoder read in both directions (`directions=2`). What changes at length 9?
# - Use `attention="multiplicative"`. Its scores are products, without a tanh.
# - Run `minigrad train translation --attention none --directions 1`, and compare.
#
# ## Exercises
#
# 1. How many numbers does the decoder get from the encoder without attention, and how
#    many with it, for a string of 8 letters?
# 2. Show that the weights of attention do not depend on what stands at padded steps.
# 3. A beam of 1 takes the likeliest letter each time. Show that the strings that a
#    wider beam finds have a higher score, on average. Why can one of them be lower?

# %% [markdown]
# ### Solution 1
#
# Without attention it gets one state of 48 numbers. With attention it also gets 8
# outputs of 48 numbers each.

# %%
memory = models["additive"].encode(strings(np.random.default_rng(0), 1, 8)[0])
assert memory.start[0].size == 48 and memory.values.size == 8 * 48

# %% [markdown]
# ### Solution 2
#
# Padded steps get a score of minus one billion, and their weight is exactly zero.

# %%
padded = np.concatenate([word, [0, 0]])[:, None]
mask = np.arange(9)[:, None] < 7
model = models["additive"]
with mg.no_grad():
    read = np.array([[BEGIN]])
    short = model.decode(model.encode(word[:, None]), read)[1].data
    long = model.decode(model.encode(padded, mask), read)[1].data
assert (long[..., 7:] == 0).all() and np.allclose(long[..., :7], short, atol=1e-6)

# %% [markdown]
# ### Solution 3
#
# Try it on strings that are longer than those of the training, where the network is not
# sure. After each letter, a beam drops all but a few strings. Among them may be the
# beginning of the string that the beam of 1 finds, so a single score can be lower.

# %%
some, _ = strings(np.random.default_rng(5), 60, 12)
one = [f[0].score for f in translations(model, list(some.T), BEGIN, END, 1)]
wide = [f[0].score for f in translations(model, list(some.T), BEGIN, END, 6)]
assert np.mean(np.array(wide) >= np.array(one) - 1e-6) > 0.9
assert np.mean(wide) >= np.mean(one)

# %% [markdown]
# ## Sources
#
# - K. Cho and others (2014), *Learning phrase representations using RNN
#   encoder-decoder*; I. Sutskever, O. Vinyals and Q. Le (2014), *Sequence to sequence
#   learning with neural networks*.
# - D. Bahdanau, K. Cho and Y. Bengio (2014), *Neural machine translation by jointly
#   learning to align and translate*: additive attention.
# - M. Luong, H. Pham and C. Manning (2015), *Effective approaches to attention-based
#   neural machine translation*: multiplicative attention.
# - The sentences of `minigrad train translation` come from tatoeba.org (CC BY 2.0 FR).
