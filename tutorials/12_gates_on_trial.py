# %% [markdown]
# # 12. Sentiment, word by word: is the textbook's gate story true?
#
# At "but", says the textbook, the forget gate falls and clears what was said before. We
# train an LSTM on real sentences, look, measure, and then try it by holding the gate.
#
# *Time to run: about 40 s.*
#
# **You will be able to**
#
# - train a small sentiment network and read every gate of it, word by word;
# - turn a story about gates into a measurement, with an interval and an effect size;
# - tell what a gate *does* from what it *is*, by holding it open or shut;
# - replace a word, and say what the network made of it.
#
# You need: lessons 6 and 7.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np

from minigrad.tour import tour_training
from minigrad.trial import WhatIf, gate_verdicts, heat_maps, read, words_of
from minigrad.trial.gate_evidence import at_word, places

BLUE, ORANGE = "#0072B2", "#D55E00"


def say(text):
    """Print it in lines that fit a page."""
    print(textwrap.fill(text, 72, subsequent_indent="       "))


# %% [markdown]
# ## A small network that reads reviews
#
# The sentences are from film reviews, each with the mean of twenty people's ratings.
# 15 in 100 are held out: all that is said below about the gates is measured on them.

# %%
corpus = tour_training.corpus()
print(len(corpus.train), "sentences to learn from,", len(corpus.held_out), "held out")
losses = []
reader = tour_training.train("lstm", corpus, losses.append, seed=0)
accuracy = tour_training.accuracy(reader, corpus)
print(f"right on {accuracy:.1%}; always the same answer: {corpus.majority:.1%}")
assert accuracy > 0.78 > corpus.majority

figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
smooth = np.convolve(losses, np.ones(25) / 25, mode="valid")
axes.plot(smooth, color=BLUE)
axes.set_xlabel("step (mean of 25)")
axes.set_ylabel("loss")
axes.set_title("Four passes over the training sentences")

# %% [markdown]
# ## The gate table
#
# Here is a sentence that turns at "but". For each word: the means of the gates over
# the units, the mean size of the memory, and how positive the sentence sounds so far.

# %%
sentence = "I loved the movie, but the ending was disappointing"
reading = read(reader, corpus.vocabulary, words_of(sentence))
print("word            forget  input output memory  positive")
for t, word in enumerate(reading.words):
    values = [reading.gates[k][t] for k in "fioc"]
    print(f"{word:15}", *(f"{v:6.2f}" for v in values), f"{reading.sentiment[t]:8.0%}")
but = reading.words.index("but")
assert reading.units["f"].shape == (len(reading.words), 24)
assert np.allclose(reading.units["f"].mean(axis=1), reading.gates["f"])
assert reading.sentiment[but - 1] > reading.sentiment[-1]
heat = plt.figure(heat_maps.means(reading))

# %% [markdown]
# The sentiment turns, as it should. It is tempting to look at the number of the forget
# gate at "but" and to tell a story. One sentence proves nothing.
#
# ## From a story to a measurement
#
# *The forget gate falls at "but".* Falls beside what? Two comparisons: beside the other
# words of the same sentence; and beside a word of like place in the sentences that have
# no "but". For the second, Cohen's $d$ gives the difference in standard deviations:
# 0.2 is small, 0.5 medium, 0.8 large.

# %%
seen, rows = gate_verdicts.seen_of(reader, corpus)
number = corpus.vocabulary.index("but")
found = at_word(seen, "f", number)
count = int(places(seen, number).any(axis=0).sum())
print(f"{count} sentences; the gate at but: {found.level:.3f}")
for what, (value, low, high) in (
    ("within the sentence", found.within),
    ("beside others", found.against.interval),
):
    print(f"{what:20} {value:+.3f}, 95 % {low:+.3f} to {high:+.3f}")
print(f"Cohen's d:            {found.against.effect:+.2f}")
assert count > 50
assert found.within.low < found.within.value < found.within.high

values = seen.gate("f")
at = places(seen, number)
figure, axes = plt.subplots(figsize=(6.4, 3.0), layout="constrained")
bins = np.linspace(0, 1, 41)
rest = values[seen.mask & ~at]
axes.hist(rest, bins, density=True, color=BLUE, alpha=0.5, label="all other words")
axes.hist(values[at], bins, density=True, color=ORANGE, alpha=0.7, label="“but”")
axes.set_xlabel("forget gate, mean over units")
axes.set_ylabel("density")
axes.set_title("To clear its memory the gate would have to be near 0")
axes.legend()
story = gate_verdicts.forget_at_but(seen, corpus)
say(("holds: " if story.holds else "does not hold: ") + story.measured)
cleared = found.level < 0.2
assert not cleared and not (story.holds and cleared)

# %% [markdown]
# Whatever the gate does at "but", it does not clear anything: it stays far from 0. And
# look how the other gates answer to the same word:

# %%
for row in gate_verdicts.all_gates_at(seen, corpus, "but"):
    say("; ".join(row))
assert {"f", "i", "o"} <= set(reading.gates)

# %% [markdown]
# ## Holding the gate
#
# What a gate *is* at a word need not be what it *does*. The recorded run can be
# evaluated again with the gate held: open (1), so that nothing is forgotten there, or
# shut (0), so that everything is. If the story were true, holding it open would spoil
# the result.

# %%
what = WhatIf(reading, reader, corpus.vocabulary)
print(f"as it is:                 {reading.sentiment[-1]:.0%} positive")
for value, words in ((1.0, "held open"), (0.0, "shut")):
    end = what.clamped("forget gate", value, [but])[-1]
    print(f"{words:9} at “but”:       {end:.0%}")
    assert 0 <= end <= 1
assert np.array_equal(what.replaced({}), reading.sentiment)
same = what.clamped("f", 1.0, [but])[:but]
assert np.array_equal(same, reading.sentiment[:but])  # the past does not change
held = plt.figure(heat_maps.held(reading, {k: what.clamp_table(k) for k in "fio"}))

# %% [markdown]
# And over all held-out sentences with a "but":

# %%
having = at.any(axis=0)
before = seen.final()[having] > 0
labels = corpus.held_out_labels[rows][having]
shares = {}
for value in (1.0, 0.0):
    after = seen.held("f", value, at)[having] > 0
    shares[value] = (after != before).mean(), (after == labels).mean()
    turned, right = shares[value]
    print(f"forget gate at {value:g}: turns {turned:.1%} of the sentences; ", end="")
    print(f"right {(before == labels).mean():.1%} -> {right:.1%}")
assert all(0 <= turned < 0.25 for turned, _ in shares.values())

# %% [markdown]
# Most sentences end on the side on which they ended before, whatever the gate does at
# "but". It does not follow that the gate does nothing: compare what is right before and
# after.
#
# ## Other words
#
# The other half of a counterfactual: the same sentence with another word in its place.

# %%
for old, new in (("but", "and"), ("loved", "dull"), ("disappointing", "wonderful")):
    after = what.replaced({reading.words.index(old): new})
    print(f"{new:>10} for {old:14} {reading.sentiment[-1]:.0%} -> {after[-1]:.0%}")
turned = what.replaced({reading.words.index("disappointing"): "wonderful"})
assert turned[-1] > reading.sentiment[-1]

# %% [markdown]
# ## All stories at once
#
# The other stories, each with its measurement. Which of them hold may differ with the
# seed and the size of the network: that is a result, too.

# %%
judged = gate_verdicts.judged(reader, corpus, reading)
for verdict in judged:
    print("HOLDS " if verdict.holds else "NOT SO", verdict.claim)
    say("       " + verdict.measured)
assert len(judged) >= 5

# %% [markdown]
# ## Try this
#
# - Your own sentence with "although", "never" or "too".
# - Another seed. Does the sign of the difference at "but" stay?
# - `minigrad train sentiment`, then `minigrad trial "..." --clamp f=1@but`: the same
#   with a larger network, about as good as weighted words without their order.
#
# ## Exercises
#
# 1. Along the cell state alone a memory keeps $\prod_t f_t$. How much of the first
#    word's memory is left at the end of our sentence, on average over the units?
# 2. Is "but" special? Measure the forget gate at "and" in the same way.
# 3. Make an interval yourself: the bootstrap of the mean of a hundred numbers, against
#    the interval of the normal distribution.

# %% [markdown]
# ### Solution 1

# %%
kept = np.prod(reading.units["f"][1:], axis=0)
print(f"{kept.mean():.1%} on average; the best unit keeps {kept.max():.1%}")
assert kept.mean() < reading.gates["f"][1:].mean()

# %% [markdown]
# ### Solution 2

# %%
beside = at_word(seen, "f", corpus.vocabulary.index("and"))
for word, (value, low, high) in (("and", beside.within), ("but", found.within)):
    print(f"{word}: {value:+.3f}, 95 % {low:+.3f} to {high:+.3f}")
assert abs(beside.within.value) < 0.5

# %% [markdown]
# ### Solution 3

# %%
rng = np.random.default_rng(0)
sample = rng.normal(1.0, 2.0, 100)
means = sample[rng.integers(0, 100, (5000, 100))].mean(axis=1)
low, high = np.quantile(means, (0.025, 0.975))
half = 1.96 * sample.std(ddof=1) / 10
assert abs((high - low) / 2 - half) < 0.1 * half

# %% [markdown]
# ## Sources
#
# - S. Hochreiter and J. Schmidhuber (1997), *Long short-term memory*, and F. Gers, J.
#   Schmidhuber and F. Cummins (2000), *Learning to forget*: where the gates come from.
# - A. Karpathy, J. Johnson and L. Fei-Fei (2015), *Visualizing and understanding
#   recurrent networks*: looking at cells of trained networks.
# - J. Cohen (1988), *Statistical power analysis for the behavioral sciences*: $d$.
# - The ratings are those of C. J. Hutto and E. Gilbert (2014), *VADER*; the sentences
#   quote the data of B. Pang and L. Lee (2005), *Seeing stars*.
