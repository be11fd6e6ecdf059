# %% [markdown]
# # 10. Bidirectional networks, and Major Tom
#
# Is a word a name? Often we can only tell from what comes after it. A network that
# reads in both directions can use this. A network that only reads forward cannot,
# however long we train it.
#
# *Time to run: about 10 s.*
#
# **You will be able to**
#
# - say what a bidirectional network is, and build one from two that are not;
# - say what it cannot be used for;
# - train a small network that finds names, test it on words it has never seen, and say
#   what the result proves.
#
# You need: lessons 3 and 6.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import LSTM

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

# %% [markdown]
# ## Two networks side by side
#
# A second cell, with weights of its own, reads the sequence backwards, from its end. At
# every step, the output contains the hidden states of both cells, side by side.

# %%
words = "major tom is a commander".split()
both = LSTM(4, 3, bidirectional=True, rng=0)
x = mg.tensor(np.random.default_rng(0).standard_normal((5, 1, 4)), requires_grad=True)
output, _ = both(x)
print("output:", output.shape, "from", len(both.cells), "cells")
mg.draw(output[1].sum(), level="cell", words=words)

# %% [markdown]
# That is all there is to it. We can check it with two ordinary networks. One reads the
# sequence. The other reads the reversed sequence, and then we reverse its outputs.

# %%
forward, backward = LSTM(4, 3, rng=0), LSTM(4, 3, rng=0)
for one, cell in zip((forward, backward), both.cells, strict=True):
    for p, q in zip(one.cells[0].parameters(), cell.parameters(), strict=True):
        p.data = q.data
by_hand = np.concatenate(
    [forward(x.data)[0].data, backward(x.data[::-1])[0].data[::-1]], axis=2
)
assert np.allclose(by_hand, output.data, rtol=1e-13, atol=1e-15)
assert sum(p.size for p in both.parameters()) == 2 * sum(
    p.size for p in forward.parameters()
)

# %% [markdown]
# What does the output at one word depend on? The gradient can tell us. We take the
# output at step 1, and compute its gradient with respect to each word.

# %%
reach = {}
for name, net in (("forward", forward), ("both", both)):
    (g,) = mg.grad(net(x)[0][1].sum(), [x])
    reach[name] = np.linalg.norm(g.data[:, 0], axis=1)
    print(f"{name:8}", reach[name].round(3))
assert (reach["forward"][2:] == 0).all()
assert (reach["both"] > 0).all()

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
places = np.arange(5)
axes.bar(places - 0.2, reach["forward"], 0.4, color=ORANGE, label="forward only")
axes.bar(places + 0.2, reach["both"], 0.4, color=BLUE, label="both directions")
axes.set_xticks(places, words)
axes.set_ylabel("|d output at “tom” / d word|")
axes.set_title("What the output at the second word depends on")
axes.legend()

# %% [markdown]
# The zeros of the forward network are exact. The picture also shows what you cannot use
# a bidirectional network for. It cannot predict the next word, because it has already
# read it. And it cannot answer before the sentence has ended.
#
# ## Is it a name?
#
# "Army core told: Major Tom is a great battle commander." After "Major" we cannot know
# yet whether a name comes next, because there are also major roads. So we make pairs of
# sentences with the same beginning:

# %%
PAIRS = [  # the same beginning, first with a name, then with a noun
    ("army core told : major {} is a great battle commander",
     "army core told : major {} is closed for repair"),
    ("they say general {} wrote a letter home",
     "they say general {} spread in the north"),
    ("today private {} met his old friend",
     "today private {} cost more than last year"),
    ("we saw brave {} who sang for us",
     "we saw brave {} that nobody had expected"),
]  # fmt: skip
CLEAR = [  # here the words before it already decide
    ("his mother called him {} at home", "she bought him a {} at home"),
    ("my friend whose name is {} came late", "my train at the old {} came late"),
]
NOUNS = (
    "road bridge storm unrest opinion land school deed attempt resistance trouble "
    "business output traffic music house station mill clock paper effort failure "
    "garden advice success damage theft debate progress decline"
).split()
names = [name.lower() for name in mg.data.first_names().names]
nouns = [noun for noun in NOUNS if noun not in names]
names = [name for name in names[:200] if name not in NOUNS]
print(names[:6], "and", len(names) - 6, "more names;", len(nouns), "nouns")

# %% [markdown]
# We must be careful about two things, or the result would mean nothing. First, the
# names and nouns in the test never occur in training. To the network each of them is
# just an "unknown" word, so it has to decide from the words around it. Second, the
# network has to see "unknown" words in training, too. So in training we replace half of
# the names and nouns with "unknown".

# %%
known = {"names": names[: len(names) // 2], "nouns": nouns[: len(nouns) // 2]}
new = {"names": names[len(names) // 2 :], "nouns": nouns[len(nouns) // 2 :]}
frames = [frame.replace("{}", "") for pair in PAIRS + CLEAR for frame in pair]
vocabulary = mg.data.Vocabulary([*frames, *(known["names"] + known["nouns"])])
UNKNOWN = vocabulary.encode(["never-seen-before"])[0]


def make(rng, size, words, templates, hide):
    """Tokens and mask (T, B), the word's place (B,), and is it a name? (B,)."""
    rows, places, labels = [], [], []
    for _ in range(size):
        is_name = rng.integers(2)
        frame = templates[rng.integers(len(templates))][1 - is_name].split()
        pool = words["names"] if is_name else words["nouns"]
        place = frame.index("{}")
        frame[place] = pool[rng.integers(len(pool))]
        tokens = vocabulary.encode(frame)
        if rng.random() < hide:
            tokens[place] = UNKNOWN
        rows.append(tokens)
        places.append(place)
        labels.append(float(is_name))
    tokens, mask = mg.data.pad_sequences(rows, padding="post", return_mask=True)
    return tokens.T, mask, np.array(places), np.array(labels)


class Tagger(mg.nn.Module):
    """For each word, a score that says whether it is a name."""

    def __init__(self, bidirectional, seed):
        width = 8 if bidirectional else 16
        self.table = mg.nn.Embedding(len(vocabulary), 12, rng=seed)
        self.lstm = LSTM(12, width, bidirectional=bidirectional, rng=seed)
        self.head = mg.nn.Linear(16, 1, rng=seed)

    def forward(self, tokens, mask):
        output, _ = self.lstm(self.table(tokens), mask=mask)
        return self.head(output)[:, :, 0]


def train(bidirectional, seed, steps=150):
    """A tagger, and its loss after every step."""
    rng = np.random.default_rng(seed)
    tagger = Tagger(bidirectional, seed)
    optimizer = mg.optim.Adam(tagger.parameters(), lr=0.02)
    losses = []
    for _ in range(steps):
        tokens, mask, places, labels = make(rng, 32, known, PAIRS + CLEAR, hide=0.5)
        target = np.zeros(tokens.shape)
        target[places, np.arange(32)] = labels
        loss = mg.losses.binary_cross_entropy(tagger(tokens, mask), target, mask=mask)
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(tagger.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return tagger, losses


def judge(tagger, words, templates):
    """The share of right answers for the names and nouns."""
    rng = np.random.default_rng(77)
    tokens, mask, places, labels = make(rng, 400, words, templates, hide=0.0)
    with mg.no_grad():
        scores = tagger(tokens, mask).data[places, np.arange(400)]
    return ((scores > 0) == labels).mean()


taggers = {
    "both directions": [train(True, seed) for seed in range(2)],
    "forward only": [train(False, seed) for seed in range(2)],
}
heads = ("new words, PAIRS", "new words, CLEAR", "known words")
print("percent right  ", "".join(f"{head:>18}" for head in heads))
for name, pairs in taggers.items():
    for tagger, _ in pairs:
        shares = (
            judge(tagger, new, PAIRS),
            judge(tagger, new, CLEAR),
            judge(tagger, known, PAIRS + CLEAR),
        )
        print(f"{name:15}", "".join(f"{100 * share:18.1f}" for share in shares))

# %% [markdown]
# In the sentences of `PAIRS` the forward network only guesses, and this has to be so. A
# name and a noun have exactly the same words before them there, so no network that only
# knows the past can tell them apart. This does not mean that the forward network learns
# badly. Where the past decides, or where the word itself is known, it is just as good.

# %%
for tagger, _ in taggers["both directions"]:
    assert judge(tagger, new, PAIRS) > 0.95
    assert judge(tagger, new, CLEAR) > 0.95
for tagger, _ in taggers["forward only"]:
    assert 0.4 < judge(tagger, new, PAIRS) < 0.6
    assert judge(tagger, new, CLEAR) > 0.95
    assert judge(tagger, known, PAIRS + CLEAR) > 0.95

# %% [markdown]
# And what about Major Tom? The word "tom" did not occur in training. Both networks now
# read the sentence about Major Tom, and another sentence with the same beginning.

# %%
assert not {"tom", "station"} & {*known["names"], *known["nouns"]}
SENTENCES = [
    "army core told : major tom is a great battle commander",
    "army core told : major station is closed for repair",
]


def probabilities(tagger, text):
    """The probability of "name" at each word."""
    tokens = np.array(vocabulary.encode(text.split()))[:, None]
    with mg.no_grad():
        return mg.sigmoid(tagger(tokens, np.ones(tokens.shape, bool))).data[:, 0]


figure, panels = plt.subplots(
    2, 1, figsize=(7.0, 5.0), layout="constrained", sharey=True
)
found = {}
for axes, text in zip(panels, SENTENCES, strict=True):
    words = text.split()
    for k, (name, color) in enumerate(
        (("both directions", BLUE), ("forward only", ORANGE))
    ):
        found[name, words[5]] = p = probabilities(taggers[name][0][0], text)
        axes.bar(np.arange(len(words)) + 0.4 * k - 0.2, p, 0.4, color=color, label=name)
    axes.set_xticks(range(len(words)), words, rotation=30, ha="right")
    axes.set_ylabel("p(name)")
    axes.grid(axis="y", alpha=0.3)
panels[0].set_title("Is this word a name?")
panels[0].legend()

print("both directions: tom", found["both directions", "tom"][5].round(3),
      " station", found["both directions", "station"][5].round(3))  # fmt: skip
print("forward only:    tom", found["forward only", "tom"][5].round(3),
      " station", found["forward only", "station"][5].round(3))  # fmt: skip
assert (
    found["both directions", "tom"][5]
    > 0.9
    > 0.1
    > found["both directions", "station"][5]
)
assert found["forward only", "tom"][5] == found["forward only", "station"][5]

# %% [markdown]
# The forward network gives exactly the same number for "tom" and for "station". In both
# cases it has read the same words, and then an unknown word.
#
# What does this prove? It proves that a network has to read backwards, too, if the
# evidence comes after the word. It does not prove that our network would find the names
# in a newspaper. We made all the sentences ourselves from six pairs of patterns, and
# both networks have learned these patterns by heart.
#
# ## Sequences of different length
#
# If a sentence is padded at its end, the backward cell must not start in the padding.
# With a mask, or with `lengths`, the backward cell starts at the end of each sentence:

# %%
net = LSTM(4, 3, bidirectional=True, rng=1)
short = np.random.default_rng(2).standard_normal((3, 1, 4))
padded = np.concatenate([short, np.full((4, 1, 4), np.nan)])  # NaN must not be read
alone, _ = net(short)
masked, _ = net(padded, lengths=[3])
assert np.allclose(masked.data[:3], alone.data, rtol=1e-13)
assert (masked.data[3:] == 0).all()

# %% [markdown]
# ## Try this
#
# - Remove the mask in `Tagger.forward`. Which network gets worse, and why?
# - Set `hide=0.0` in `train`. Why does the bidirectional network get worse on new
#   words?
# - Add a pair of your own to `PAIRS`, and a pair of long sentences in which only the
#   very last word decides.
#
# ## Exercises
#
# 1. Write the output of a bidirectional network with `models.unroll` and
#    `reverse=True`, and compare.
# 2. Suppose that two thirds of the words in the `PAIRS` sentences are names. What is
#    the best share of right answers that a forward network can reach? Check it with
#    random labels, without a network.
# 3. Take a network of two bidirectional layers. What does the output of the first layer
#    at step 0 depend on, and what does the output of the second layer at step 0 depend
#    on? How many cells does the network have?

# %% [markdown]
# ### Solution 1

# %%
from minigrad.models import unroll

there = unroll(both.cells[0], x.data, both.cells[0].zero_state(1)).output
back = unroll(both.cells[1], x.data, both.cells[1].zero_state(1), reverse=True).output
joined = mg.concatenate([there, back], axis=2)
assert np.allclose(joined.data, output.data, rtol=1e-13, atol=1e-15)

# %% [markdown]
# ### Solution 2
#
# The past says nothing, so the best strategy is to answer "name" every time. This is
# right in two thirds of the cases.

# %%
labels = np.random.default_rng(0).random(30_000) < 2 / 3
best = max(labels.mean(), 1 - labels.mean())
assert abs(best - 2 / 3) < 0.01

# %% [markdown]
# ### Solution 3
#
# Both outputs depend on the whole sentence. In the first layer this is already so,
# because its backward cell has come from the end of the sentence. The network has four
# cells. The cells of the second layer read both directions of the first layer. So their
# inputs have six numbers, twice the width of one cell.

# %%
deep = LSTM(4, 3, num_layers=2, bidirectional=True, rng=0)
assert [cell.input_size for cell in deep.cells] == [4, 4, 6, 6]
(g,) = mg.grad(both(x)[0][0].sum(), [x])
assert (np.abs(g.data).sum(axis=(1, 2)) > 0).all()

# %% [markdown]
# ## Sources
#
# - M. Schuster, K. K. Paliwal, *Bidirectional recurrent neural networks*, IEEE
#   Transactions on Signal Processing 45 (1997).
# - A. Graves, J. Schmidhuber, *Framewise phoneme classification with bidirectional LSTM
#   and other neural network architectures*, Neural Networks 18 (2005).
# - The names are those of the US census of 1990, as shipped: `mg.data.first_names`.

# %%
plt.show()  # in a script, this opens all figures in windows
