# %% [markdown]
# # 11. Padding, masks and the next word
#
# Which word comes after "The quick brown"? A network learns to predict the next word
# from the beginnings of a few sentences. Whether it learns anything at all depends on
# where we put the padding.
#
# *Time to run: about 20 s.*
#
# **You will be able to**
#
# - turn sentences into numbers, make all their beginnings (n-gram prefixes), and put
#   these into one array with a mask;
# - say why `y = padded[:, -1]` is right only if the padding is in front;
# - train a next-word model, ask it for suggestions, and let it write text at a
#   temperature;
# - judge such a model by its perplexity, and compare it with a model that only counts.
#
# You need: lessons 3 and 6.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import LSTM, LanguageModel
from minigrad.tasks.baselines import NGram
from minigrad.tasks.writing import continued, suggestions

BLUE, ORANGE = "#0072B2", "#D55E00"

SENTENCES = [
    "the quick brown fox jumps over the lazy dog",
    "the quick brown fox sleeps in the sun",
    "the weather is nice today",
    "the weather is nice in the summer",
    "the color of the sky is blue",
    "the lazy dog sleeps all day",
]

# %% [markdown]
# ## From words to one array
#
# Each word becomes a number. The number 0 is reserved for padding, and 1 for unknown
# words.

# %%
vocabulary = mg.data.Vocabulary(SENTENCES)
print(vocabulary)
encoded = [vocabulary.encode(text) for text in SENTENCES]
print(encoded[2], "is", vocabulary.decode(encoded[2]))
assert vocabulary.words[:2] == ("<pad>", "<unk>")
assert vocabulary.encode("the purple fox")[1] == 1

# %% [markdown]
# Every beginning of a sentence is an example: the network has to predict its last word
# from the words before it. A sentence of $n$ words gives $n - 1$ such n-gram prefixes,
# and their lengths differ. `pad_sequences` puts them into one array. We can choose
# where it adds padding. By default it does so in front.

# %%
prefixes = [p for numbers in encoded for p in mg.data.ngram_prefixes(numbers)]
assert len(prefixes) == sum(len(numbers) - 1 for numbers in encoded)
padded, mask = mg.data.pad_sequences(prefixes, return_mask=True)
print(padded[:4])
print("array (B, T):", padded.shape, "  mask (T, B):", mask.shape)
assert mask.shape == padded.shape[::-1]
assert (padded[~mask.T] == 0).all()

figure, panels = plt.subplots(1, 2, figsize=(8.0, 3.4), layout="constrained")
behind = mg.data.pad_sequences(prefixes, padding="post")
for axes, array, where in zip(panels, (padded, behind), ("start", "end"), strict=True):
    axes.imshow(array[:16] > 0, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    axes.axvline(array.shape[1] - 1.5, color=ORANGE, linewidth=2)
    axes.set_title(f"padding at the {where}")
    axes.set_xlabel("column (right of the line: y)")
panels[0].set_ylabel("prefix")

# %% [markdown]
# ## This split needs padding in front
#
# The input is all columns except the last, and the answer is the last column. With
# padding in front, the last column holds a word in every row. With padding at the end,
# it holds padding in all rows except the longest ones. So the network would only learn
# to predict padding.

# %%
x, y = padded[:, :-1], padded[:, -1]
assert (y > 0).all()
wrong = (behind[:, -1] == 0).mean()
print(f"with padding at the end, {wrong:.0%} of the answers are padding")
assert wrong > 0.8
targets = mg.data.one_hot(y, len(vocabulary))  # for a softmax
assert targets.shape == (len(y), len(vocabulary)) and (targets.sum(axis=1) == 1).all()
assert (targets.argmax(axis=1) == y).all()

# %% [markdown]
# ## What the mask is for
#
# Padding is not a word. Without a mask the cell reads it anyway, so its state changes
# before the sentence has begun. With the mask, a padded step does not change the state,
# and its gradient is exactly zero.

# %%
lstm = LSTM(4, 5, rng=0)
word = mg.tensor(np.random.default_rng(0).standard_normal((3, 1, 4)))
late = mg.tensor(
    np.concatenate([np.zeros((4, 1, 4)), word.data]), requires_grad=True, name="x"
)
real = np.array([[False]] * 4 + [[True]] * 3)
alone = lstm(word)[0][-1]
masked, unmasked = lstm(late, mask=real)[0][-1], lstm(late)[0][-1]
print("change of the state by padding:", float(mg.norm(unmasked - alone)))
assert np.allclose(masked.data, alone.data, rtol=1e-13)
assert float(mg.norm(unmasked - alone)) > 0.01
(gradient,) = mg.grad(masked.sum(), [late])
assert (gradient.data[:4] == 0).all() and (gradient.data[4:] != 0).any()

# %% [markdown]
# ## Training
#
# At each step, `LanguageModel` gives one logit for every word of the vocabulary. Here
# only the last step has an answer to compare with.

# %%
model = LanguageModel(len(vocabulary), "lstm", 12, 24, dropout=(0.0, 0.0), rng=0)
optimizer = mg.optim.Adam(model.parameters(), lr=0.02)
steps, real = x.T, mask[:-1]
losses = []
for _ in range(80):
    logits, _ = model(steps, mask=real)
    loss = mg.losses.cross_entropy(logits[-1], y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
model.eval()
right = (logits.data[-1].argmax(axis=1) == y).mean()
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}; right: {right:.0%}")
assert losses[-1] < 0.2 * losses[0]

figure, axes = plt.subplots(figsize=(6.4, 3.0), layout="constrained")
axes.plot(losses, color=BLUE)
axes.set_xlabel("step")
axes.set_ylabel("cross-entropy, nats")
axes.set_title("Training on six sentences")

# %% [markdown]
# The network cannot be right everywhere. In our sentences "the" is followed by seven
# different words, and "the quick brown fox" by two. The best the network can do is to
# say how likely each word is.

# %%
pairs = {(a, b) for s in SENTENCES for a, b in pairwise(s.split())}
assert sum(before == "the" for before, _ in pairs) == 7
assert sum(before == "fox" for before, _ in pairs) == 2


# %%
def ask(text, top=3):
    """The most likely next words."""
    numbers = vocabulary.encode(text, need_known=True)
    return [
        (vocabulary.words[k], round(p, 2)) for k, p in suggestions(model, numbers, top)
    ]


for start in ("The quick brown", "The weather is", "The color of the sky is", "The"):
    print(f"{start:24} -> {ask(start)}")
assert ask("The quick brown")[0][0] == "fox"
assert ask("The weather is")[0][0] == "nice"
assert ask("The color of the sky is")[0][0] == "blue"
(first, second) = ask("The quick brown fox", 2)
assert {first[0], second[0]} == {"jumps", "sleeps"} and second[1] > 0.2

# %% [markdown]
# ## Temperature
#
# To write text, we choose each word at random. We use the probabilities $p^{1/\tau}$,
# divided by their sum, where $\tau$ is called the temperature. At $\tau = 0$ this
# always gives the most likely word. At $\tau = 1$ we use the probabilities of the model
# as they are. Above 1, unlikely words are chosen more often.


# %%
def write(text, temperature, seed=0, length=6):
    numbers = vocabulary.encode(text)
    drawn = continued(model, numbers, length, temperature, seed)
    return " ".join([text, *vocabulary.decode(drawn)])


for temperature in (0, 0.5, 1.0, 2.0):
    print(f"{temperature:>4}:", write("the quick", temperature))
assert write("the quick", 0, seed=1) == write("the quick", 0, seed=2)
different = {t: len({write("the", t, seed=s) for s in range(20)}) for t in (0.3, 2.0)}
print("number of different texts among 20:", different)
assert different[0.3] < different[2.0]

# %% [markdown]
# ## How good is it? Perplexity
#
# The perplexity is $2^{\text{bits per word}}$. A model with a perplexity of 50 is as
# unsure as if it had to choose among 50 words that are all equally likely. On sentences
# that the model has learned by heart, the perplexity means nothing. It has to be
# measured on text that was held out. It should also be compared with a model that only
# counts words, such as an interpolated n-gram model. Here we measure n-gram models.
# (`minigrad train next-word` compares them with a network on a whole book.)

# %%
tokens = mg.data.tokenize(mg.data.alice())[:6000]
train, held_out = mg.data.split(tokens, (0.9, 0.1), shuffle=False)
book = mg.data.Vocabulary([train], min_count=2)
numbers = [book.encode(part) for part in (train, held_out)]
perplexity = {}
for order in (1, 2, 3):
    counts = NGram([numbers[0]], order, len(book))
    by_heart, new = (2 ** counts.bits([part]).mean() for part in numbers)
    perplexity[order] = by_heart, new
    print(f"{order}-grams: {by_heart:6.1f} on the training text, {new:6.1f} held out")
total = sum(counts.probability(k, numbers[1][:2]) for k in range(len(book)))
assert abs(total - 1) < 1e-12
unknown = [np.mean(np.array(part) == 1) for part in numbers]
print(f"unknown words: {unknown[0]:.0%} of the training text, "
      f"{unknown[1]:.0%} of the held-out text")  # fmt: skip
assert unknown[1] > 1.8 * unknown[0]
assert perplexity[1][0] > perplexity[1][1]
assert all(perplexity[n][1] > 2 * perplexity[n][0] for n in (2, 3))
assert perplexity[3][1] < perplexity[1][1] < len(book)

# %% [markdown]
# The 1-grams seem to do better on the held-out text than on the training text. The
# reason is the word "unknown". Every word that occurs only once in the training text is
# read as "unknown", and so is every new word. So the held-out text has about twice as
# many of them, and a word that is so frequent is easy to guess. Compare perplexities
# only on the same text and with the same vocabulary.
#
# ## Try this
#
# - Train with `behind` instead of `padded`. What does the model suggest now?
# - Leave out the mask, both in training and when you ask for suggestions. Does the
#   model still find "fox"?
# - Add a sentence of your own with "the weather is", and watch the probabilities.
# - Run `minigrad train next-word`, and then
#   `minigrad predict next-word "the queen" --temperature 0.5`.
#
# ## Exercises
#
# 1. What does `pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)` give, and which words
#    are lost? How can you keep the beginnings instead?
# 2. What is the perplexity of a model that gives all $V$ words the same probability?
# 3. Show that the probabilities at temperature $\tau$ are the softmax of the logits
#    divided by $\tau$.

# %% [markdown]
# ### Solution 1
#
# Sequences that are too long lose their beginning, and short ones get zeros in front.
# With `truncating="post"` the beginnings are kept.

# %%
rows = [[1], [2, 3], [4, 5, 6]]
assert mg.data.pad_sequences(rows, maxlen=2).tolist() == [[0, 1], [2, 3], [5, 6]]
kept = mg.data.pad_sequences(rows, maxlen=2, truncating="post")
assert kept.tolist() == [[0, 1], [2, 3], [4, 5]]

# %% [markdown]
# ### Solution 2
#
# Each word costs $\log_2 V$ bits, and $2^{\log_2 V} = V$.

# %%
size = len(vocabulary)
even = mg.losses.cross_entropy(mg.zeros((4, size)), np.array([1, 2, 3, 4]))
assert abs(np.exp(even.item()) - size) < 1e-9

# %% [markdown]
# ### Solution 3
#
# We have $p_k^{1/\tau} = e^{z_k/\tau} / Z^{1/\tau}$. The factor $Z^{1/\tau}$ is the
# same for all words, so it cancels when we divide by the sum.

# %%
z, tau = np.array([0.3, -1.2, 2.0]), 0.7
p = mg.softmax(mg.tensor(z)).data ** (1 / tau)
assert np.allclose(p / p.sum(), mg.softmax(mg.tensor(z / tau)).data)

# %% [markdown]
# ## Sources
#
# - Y. Bengio and others (2003), *A neural probabilistic language model*: a network
#   predicts the next word.
# - R. Kneser and H. Ney (1995), *Improved backing-off for m-gram language modeling*,
#   and S. F. Chen and J. Goodman (1999) for the interpolated form used here.
# - The text is *Alice's Adventures in Wonderland* (L. Carroll, 1865), public domain.
