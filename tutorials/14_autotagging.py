# %% [markdown]
# # 14. Autotagging: several tags for one text
#
# "graphical viewer for chess games" has two tags: it is about games, and it has a
# graphical interface. If a text can have several tags, we need another output, another
# loss and another way to count what is right.
#
# *Time to run: about 10 s.*
#
# **You will be able to**
#
# - say why several tags need sigmoids and not a softmax;
# - turn the steps of a text into one vector, without counting the padding;
# - compute precision, recall and F1, for each tag and for all tags together;
# - choose a threshold on the right part of the data.
#
# You need: lessons 9, 10 and 11.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import TextTagger
from minigrad.tasks.sequences import bucketed, padded
from minigrad.tasks.statistics import f1 as micro

BLUE, ORANGE = "#0072B2", "#D55E00"

# %% [markdown]
# ## The data
#
# The texts are one-line descriptions of programs, and each has its tags. To save time
# we keep only six tags, and only the texts that have at least one of these.

# %%
programs = mg.data.program_tags()
KEPT = [
    "implemented-in::c", "implemented-in::c++", "interface::daemon",
    "interface::commandline", "interface::graphical", "use::viewing",
]  # fmt: skip
chosen = [k for k, tags in enumerate(programs.tags) if set(tags) & set(KEPT)]
texts = [programs.texts[k] for k in chosen]
tags = np.array([[tag in programs.tags[k] for tag in KEPT] for k in chosen])
print(len(texts), "texts;", dict(zip(KEPT, tags.sum(axis=0).tolist(), strict=True)))
print(f"{(tags.sum(axis=1) > 1).mean():.0%} have more than one of them")
assert len(KEPT) == 6 and (tags.sum(axis=1) >= 1).all()
assert (tags.sum(axis=1) > 1).any()

rows, held = mg.data.split(len(texts), (0.8, 0.2), rng=0)
train, validation = mg.data.split(rows, (0.85, 0.15), rng=1)
vocabulary = mg.data.Vocabulary([texts[k] for k in train], min_count=2)
tokens = [vocabulary.encode(text) for text in texts]

# %% [markdown]
# ## Sigmoids, not a softmax
#
# A softmax divides a probability of 1 among all tags. If one tag becomes more likely,
# another has to become less likely. But a text can have both. So each tag gets its own
# sigmoid, which answers yes or no for this tag alone. The loss is the mean of their
# cross-entropies.

# %%
logits = mg.tensor([[2.0, 2.0, -2.0]])
shared, own = mg.softmax(logits).data[0], mg.sigmoid(logits).data[0]
print("softmax:", shared.round(2), "  sigmoids:", own.round(2))
assert abs(shared.sum() - 1) < 1e-12 and shared.max() < 0.5
assert (own[:2] > 0.85).all() and own[2] < 0.15

# %% [markdown]
# ## From steps to one vector
#
# The network reads in both directions. For each unit we take the largest output over
# all steps, wherever in the text it occurs. Padding must never give the largest output.
# So with the help of the mask we put -1 there, and no output can be smaller than -1.
# The network also gets the sum of the word vectors, on a separate path. Some words
# ("chess": a game) need no memory, and this path is enough for them.

# %%
tagger = TextTagger(
    len(vocabulary), 6, embedding_size=64, hidden_size=24, dropout=0.6, rng=0
)
x, mask = padded(tokens[:4])
first = tagger.eval()(x, mask).data
more = np.vstack([x, np.zeros((5, 4), x.dtype)])  # padded further
longer = tagger(more, np.vstack([mask, np.zeros((5, 4), bool)])).data
assert first.shape == (4, 6) and np.allclose(first, longer, atol=1e-6)

# %% [markdown]
# ## Training the network


# %%
def scores(part):
    """The probabilities of the tags (n, 6), for some rows."""
    tagger.eval()
    order = np.argsort([len(tokens[k]) for k in part])
    result = np.zeros((len(part), 6))
    with mg.no_grad():
        for start in range(0, len(part), 200):
            some = order[start : start + 200]
            x, mask = padded([tokens[part[k]] for k in some])
            result[some] = mg.sigmoid(tagger(x, mask)).data
    return result


optimizer = mg.optim.Adam(tagger.parameters(), lr=1e-2)
batches = bucketed(
    [tokens[k] for k in train], tags[train].astype("float32"), size=32, rng=0
)
curve = []
EPOCHS = 6
for epoch in range(EPOCHS):
    tagger.train()
    optimizer.lr = 1e-2 * (1 - epoch / EPOCHS)
    for sequences, wanted in batches:
        x, mask = padded(sequences)
        loss = mg.losses.binary_cross_entropy(tagger(x, mask), wanted)
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(tagger.parameters(), 5.0)
        optimizer.step()
    curve.append(micro(scores(validation) > 0.4, tags[validation]))
    print(f"epoch {epoch + 1}: micro F1 {curve[-1]:.3f}")

figure, axes = plt.subplots(figsize=(6.0, 2.8), layout="constrained")
axes.plot(range(1, EPOCHS + 1), curve, "o-", color=BLUE)
axes.set_xlabel("epoch")
axes.set_ylabel("micro F1, validation")
assert curve[-1] > curve[0]

# %% [markdown]
# ## Counting what is right
#
# Accuracy does not help here. A network that gives no tag at all is right on most of
# the yes-or-no questions. We ask two better questions. How many of the tags that the
# network gives are right? This share is the precision. How many of the right tags does
# it give? This share is the recall. F1 is the harmonic mean of the two. "Micro F1"
# counts all tags together. "Macro F1" is the mean of the F1 of each tag, so rare tags
# count as much as frequent ones.

# %%
given, wanted = scores(held) > 0.4, tags[held]
nothing = np.zeros_like(wanted)
print(f"giving no tag: {(nothing == wanted).mean():.0%} of the questions right, "
      f"F1 {micro(nothing, wanted):.2f}")  # fmt: skip
right = (given & wanted).sum()
precision, recall = right / given.sum(), right / wanted.sum()
f1 = 2 * precision * recall / (precision + recall)
assert (nothing == wanted).mean() > 0.5 and micro(nothing, wanted) == 0
assert np.isclose(f1, micro(given, wanted))

frequent = np.zeros_like(wanted)
frequent[:, np.argsort(-tags[train].sum(axis=0))[:2]] = True
print(f"micro F1 {f1:.3f}; always the 2 most frequent tags: ", end="")
print(f"{micro(frequent, wanted):.3f}")
assert f1 > micro(frequent, wanted)

each = [micro(given[:, k], wanted[:, k]) for k in range(6)]
figure, axes = plt.subplots(figsize=(7.0, 3.0), layout="constrained")
axes.barh(range(6), each, color=BLUE)
axes.set_yticks(
    range(6), [f"{t} ({n})" for t, n in zip(KEPT, wanted.sum(0), strict=True)]
)
axes.set_xlabel("F1 on the held-out part")
axes.set_title(f"F1 of each tag (macro F1: {np.mean(each):.2f})")

# %% [markdown]
# ## The threshold
#
# A tag is given if its probability is above a threshold. A low threshold finds more of
# the right tags, but it also gives more wrong ones. We choose the threshold on the
# validation part. If we chose it on the held-out part, our result would look better
# than it is.

# %%
limits = np.linspace(0.05, 0.9, 18)
chances = {"validation": scores(validation), "held out": scores(held)}
lines = {
    "validation": [micro(chances["validation"] > v, tags[validation]) for v in limits],
    "held out": [micro(chances["held out"] > v, wanted) for v in limits],
}
figure, axes = plt.subplots(figsize=(6.0, 3.0), layout="constrained")
for (name, values), color in zip(lines.items(), (BLUE, ORANGE), strict=True):
    axes.plot(limits, values, color=color, label=name)
best = limits[int(np.argmax(lines["validation"]))]
axes.axvline(best, color="gray", linewidth=0.8)
axes.set_xlabel("threshold")
axes.set_ylabel("micro F1")
axes.legend()
print(f"best on the validation part: {best:.2f}")
here = lines["held out"][int(np.argmax(lines["validation"]))]
assert here <= max(lines["held out"]) and here > max(lines["held out"]) - 0.05

# %% [markdown]
# ## A text of your own

# %%
text = "graphical viewer for images"
x, mask = padded([vocabulary.encode(text, need_known=True)])
with mg.no_grad():
    answer = mg.sigmoid(tagger(x, mask)).data[0]
for tag, chance in sorted(zip(KEPT, answer, strict=True), key=lambda pair: -pair[1]):
    print(f"{tag:26} {chance:5.0%}")
assert answer[KEPT.index("interface::graphical")] > 0.5

# %% [markdown]
# ## Try this
#
# - Train on all 24 tags with `minigrad train autotagging`. It is compared with a model
#   that gives each word a weight and ignores the order of the words.
# - Use the last output of each direction instead of the largest. How much worse is the
#   result?
# - Some programs have several descriptions that are nearly the same. Split the data so
#   that they all stay in the same part.
#
# ## Exercises
#
# 1. There are two tags and four texts, with 4 right tags in all. A network gives 3
#    tags, and 2 of them are right. What is the micro F1?
# 2. Show that F1 is the harmonic mean of precision and recall.
# 3. Suppose that the network's probabilities are right. How high must the probability
#    of a tag be so that giving this tag raises the expected F1? (Lipton and others
#    show: at least half of the best F1.) Check this with the plot.

# %% [markdown]
# ### Solution 1
#
# Micro F1 is twice the number of right answers, divided by the number of tags given
# plus the number of tags wanted: $2 \cdot 2 / (3 + 4) = 4/7$.

# %%
g = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], bool)
w = np.array([[1, 1], [0, 1], [1, 0], [0, 0]], bool)
assert (g.sum(), w.sum(), (g & w).sum()) == (3, 4, 2)
assert micro(g, w) == 2 * 2 / (3 + 4)

# %% [markdown]
# ### Solution 2
#
# Of $g$ tags given and $w$ tags wanted, let $c$ be right. Then the precision is
# $p = c/g$ and the recall is $r = c/w$. The harmonic mean is $1/F_1 = (1/p + 1/r)/2$,
# and this gives $F_1 = 2c/(g + w)$.

# %%
p, r = 2 / 3, 2 / 4
assert np.isclose(2 / (1 / p + 1 / r), micro(g, w))

# %% [markdown]
# ### Solution 3
#
# The best threshold should be near half of the best F1. The validation part is small,
# so we can only expect that they are roughly the same.

# %%
top = max(lines["validation"])
print(f"half of the best F1: {top / 2:.2f}, best threshold: {best:.2f}")
assert abs(best - top / 2) < 0.25

# %% [markdown]
# ## Sources
#
# - The descriptions and tags were written by the contributors of Debian (debtags).
# - Z. C. Lipton, C. Elkan and B. Naryanaswamy (2014), *Optimal thresholding of
#   classifiers to maximize F1 measure*.
# - K. Cho and others (2014), *Learning phrase representations using RNN
#   encoder-decoder*: the GRU.
