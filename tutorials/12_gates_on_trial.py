# %% [markdown]
# # 12. Sentiment, word by word: is the textbook's gate story true?
#
# A textbook says that at "but" the forget gate falls, and clears what was said before.
# We train an LSTM on real sentences, measure its gates, and hold them open or shut to
# see what happens.
#
# *Time to run: about 40 s.*
#
# **You will be able to**
#
# - train a small sentiment network, and read each of its gates word by word;
# - test a story about gates by measuring, with an interval and an effect size;
# - find out what a gate *does*, and not only what its value *is*, by holding it open or
#   shut;
# - replace a word, and see how this changes the network's answer.
#
# You need: lessons 6 and 7.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.tour import tour_training
from minigrad.trial import (
    WhatIf,
    gate_verdicts,
    heat_maps,
    read,
    review_corpus,
    words_of,
)
from minigrad.trial.gate_evidence import at_word, places

BLUE, ORANGE = "#0072B2", "#D55E00"


def say(text):
    """Print the text in lines that fit the page."""
    print(textwrap.fill(text, 72, subsequent_indent="       "))


# %% [markdown]
# ## A small network that reads reviews
#
# The sentences come from film reviews. For each of them, twenty people rated how
# positive it is, and we use the mean of their ratings. 15 % of the sentences are held
# out. Everything that this lesson says about the gates is measured on these.

# %%
corpus = review_corpus.corpus()
print(len(corpus.train), "sentences to learn from,", len(corpus.held_out), "held out")
losses = []
reader = tour_training.train("lstm", corpus, losses.append, seed=0)
accuracy = tour_training.accuracy(reader, corpus)
print(f"right on {accuracy:.1%}; with always the same answer: {corpus.majority:.1%}")
assert accuracy > 0.78 > corpus.majority

figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
smooth = np.convolve(losses, np.ones(25) / 25, mode="valid")
axes.plot(smooth, color=BLUE)
axes.set_xlabel("training step")
axes.set_ylabel("loss (mean of 25 steps)")
axes.set_title("Training: four times through all sentences")

# %% [markdown]
# ## The gate table
#
# Here is a sentence that changes its mood at "but". For each word, the table shows the
# mean of each gate over all units, the mean size of the memory, and how positive the
# sentence sounds to the network so far.

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
# Before we believe a network, we ask whether it is sound. `mg.diagnose` reads the graph
# of this one sentence: do gradients reach its first word, do units work at their ends,
# are there units that never change? A note is good to know, a warning is likely to
# harm.

# %%
first = len(reading.words) - 1  # steps from the last word back to the first
d = mg.diagnose(reading.logits[-1], lag=first)
print(f"the chance that the first word is learned: {d.chance(first):.0%}")
for found in d.findings:
    say(f"{found.severity}, {found.code}: {found}")
assert d.chance(first) > 0.5
assert not [found for found in d.findings if found.severity == "error"]

# %% [markdown]
# The sentiment changes, as it should. It would be easy to look at the forget gate at
# "but" now, and to tell a story about it. But one sentence proves nothing.
#
# ## From a story to a measurement
#
# *The forget gate falls at "but".* It falls, but compared with what? We make two
# comparisons. The first is with the other words of the same sentence. The second is
# with words at a similar place in sentences that have no "but". For the second
# comparison, Cohen's $d$ gives the difference in standard deviations: 0.2 is small, 0.5
# is medium and 0.8 is large.

# %%
seen, rows = gate_verdicts.seen_of(reader, corpus)
number = corpus.vocabulary.index("but")
found = at_word(seen, "f", number)
count = int(places(seen, number).any(axis=0).sum())
print(f"{count} sentences; the gate at “but”: {found.level:.3f}")
for what, (value, low, high) in (
    ("same sentence", found.within),
    ("other sentences", found.against.interval),
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
axes.set_title("To clear the memory, the gate would have to be near 0")
axes.legend()
story = gate_verdicts.forget_at_but(seen, corpus)
say(("holds: " if story.holds else "does not hold: ") + story.measured)
cleared = found.level < 0.2
assert not cleared and not (story.holds and cleared)

# %% [markdown]
# Whatever the gate does at "but", it does not clear the memory, because it stays far
# from 0. Now look at what the other gates do at the same word:

# %%
for row in gate_verdicts.all_gates_at(seen, corpus, "but"):
    say("; ".join(row))
assert {"f", "i", "o"} <= set(reading.gates)

# %% [markdown]
# ## Holding the gate
#
# The value of a gate does not tell us what the gate *does*. But we can compute the
# recorded run again and hold the gate at a fixed value: open (1), so that nothing is
# forgotten at this word, or shut (0), so that everything is forgotten. If the story is
# true, the result has to get worse when we hold the gate open.

# %%
what = WhatIf(reading, reader, corpus.vocabulary)
print(f"not held:                 {reading.sentiment[-1]:.0%} positive")
for value, words in ((1.0, "held open"), (0.0, "shut")):
    end = what.clamped("forget gate", value, [but])[-1]
    print(f"{words:9} at “but”:       {end:.0%}")
    assert 0 <= end <= 1
assert np.array_equal(what.replaced({}), reading.sentiment)
same = what.clamped("f", 1.0, [but])[:but]
assert np.array_equal(same, reading.sentiment[:but])  # the past does not change
held = plt.figure(heat_maps.held(reading, {k: what.clamp_table(k) for k in "fio"}))

# %% [markdown]
# Now we do the same for all held-out sentences with a "but":

# %%
having = at.any(axis=0)
before = seen.final()[having] > 0
labels = corpus.held_out_labels[rows][having]
shares = {}
for value in (1.0, 0.0):
    after = seen.held("f", value, at)[having] > 0
    shares[value] = (after != before).mean(), (after == labels).mean()
    turned, right = shares[value]
    print(f"forget gate at {value:g}: {turned:.1%} get another answer; ", end="")
    print(f"right {(before == labels).mean():.1%} -> {right:.1%}")
assert all(0 <= turned < 0.25 for turned, _ in shares.values())

# %% [markdown]
# For most sentences the answer stays the same, whatever the gate does at "but". This
# does not mean that the gate has no effect. Compare the share of right answers before
# and after.
#
# ## Other words
#
# We can also change the sentence and not the gate. Here we replace one word with
# another.

# %%
for old, new in (("but", "and"), ("loved", "dull"), ("disappointing", "wonderful")):
    after = what.replaced({reading.words.index(old): new})
    print(f"{new:>10} for {old:14} {reading.sentiment[-1]:.0%} -> {after[-1]:.0%}")
turned = what.replaced({reading.words.index("disappointing"): "wonderful"})
assert turned[-1] > reading.sentiment[-1]

# %% [markdown]
# ## All stories at once
#
# Here are all the stories, each with its measurement. Which of them hold may depend on
# the seed and on the size of the network. This is a result, too.

# %%
judged = gate_verdicts.judged(reader, corpus, reading)
for verdict in judged:
    say(("HOLDS: " if verdict.holds else "DOES NOT HOLD: ") + verdict.claim)
    say("       " + verdict.measured)
assert len(judged) >= 5

# %% [markdown]
# ## Try this
#
# - Try a sentence of your own with "although", "never" or "too".
# - Try another seed. Does the difference at "but" keep its sign?
# - Run `minigrad train sentiment`, then `minigrad trial "..." --clamp f=1@but`. This
#   does the same with a larger network. It is about as good as a model that gives each
#   word a weight and ignores the order of the words.
#
# ## Exercises
#
# 1. Along the cell state alone, $\prod_t f_t$ of a memory is left. How much of the
#    first word's memory is left at the end of our sentence, on average over the units?
# 2. Is "but" special? Measure the forget gate at "and" in the same way.
# 3. Make a confidence interval yourself. Use the bootstrap for the mean of a hundred
#    numbers, and compare it with the interval from the normal distribution.

# %% [markdown]
# ### Solution 1
#
# The memory of the first word is multiplied by the forget gates of all later words.

# %%
kept = np.prod(reading.units["f"][1:], axis=0)
print(f"{kept.mean():.1%} on average; the best unit keeps {kept.max():.1%}")
assert kept.mean() < reading.gates["f"][1:].mean()

# %% [markdown]
# ### Solution 2
#
# Compare the two intervals: is the difference at "but" larger than the one at "and"?

# %%
beside = at_word(seen, "f", corpus.vocabulary.index("and"))
for word, (value, low, high) in (("and", beside.within), ("but", found.within)):
    print(f"{word}: {value:+.3f}, 95 % {low:+.3f} to {high:+.3f}")
assert abs(beside.within.value) < 0.5

# %% [markdown]
# ### Solution 3
#
# Draw a hundred of the numbers with replacement, and take their mean. Repeat this 5000
# times. The interval from the 2.5 % quantile to the 97.5 % quantile of these means is
# nearly the same as that of the normal distribution.

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
#   recurrent networks*: a look at the cells of trained networks.
# - J. Cohen (1988), *Statistical power analysis for the behavioral sciences*: $d$.
# - The ratings are those of C. J. Hutto and E. Gilbert (2014), *VADER*; the sentences
#   quote the data of B. Pang and L. Lee (2005), *Seeing stars*.
