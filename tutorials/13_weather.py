# %% [markdown]
# # 13. Tomorrow's temperature
#
# A month of days goes in, a number in degrees comes out. Most of the work is not the
# network: it is a split that does not look ahead, a scale, and baselines that are hard
# to beat.
#
# *Time to run: about 25 s.*
#
# **You will be able to**
#
# - cut a series into windows and targets without a look into the future;
# - scale it by the training part alone, and say why;
# - train a forecaster and give its error in degrees, beside persistence;
# - say whether a difference of some hundredths of a degree means anything.
#
# You need: lessons 3 and 9.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.models import GRU
from minigrad.tasks.statistics import paired

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"

weather = mg.data.seattle_weather()
highest = weather.temp_max
print(len(highest), "days from", weather.dates[0], "to", weather.dates[-1])
assert len(highest) == 1461 and np.isfinite(highest).all()
assert (np.diff(weather.dates) == np.timedelta64(1, "D")).all()  # none is missing

figure, axes = plt.subplots(figsize=(8.0, 2.8), layout="constrained")
axes.plot(weather.dates, highest, color=BLUE, linewidth=0.7)
axes.axvline(weather.dates[int(0.75 * 1461)], color=ORANGE)
axes.set_ylabel("°C")
axes.set_title("Highest temperature in Seattle; right of the line: held out")

# %% [markdown]
# ## A split that does not look ahead
#
# Shuffled days would let the network learn from the day after the one that it is asked
# about. So the last quarter is held out, and of what is before it the last fifth says
# which epoch was best. A window belongs to the part of its target; the 30 days before
# it may lie in the part before, because they are in the past.

# %%
DAYS = 30
held = int(0.75 * len(highest))
last = int(0.8 * held)
x, y = mg.data.windows(highest, DAYS)
day = np.arange(DAYS, len(highest))  # the row of each target
parts = {
    "train": day < last,
    "validation": (day >= last) & (day < held),
    "held out": day >= held,
}
for name, rows in parts.items():
    print(f"{name:11} {rows.sum():4} days")
assert sum(rows.sum() for rows in parts.values()) == len(y)
k = 100
assert (x[k] == highest[k : k + DAYS]).all() and y[k] == highest[k + DAYS]

# %% [markdown]
# ## A scale from the training part alone
#
# A network wants numbers around zero. Mean and deviation come from the training part:
# taken from all days they would tell something about the days held out.

# %%
scaling = mg.data.Scaling(highest[:last, None])
scaled = scaling(highest[:, None])[:, 0]
print(f"mean {scaling.mean[0]:.2f} °C, deviation {scaling.deviation[0]:.2f} °C")
assert abs(scaled[:last].mean()) < 1e-9 and abs(scaled[:last].std() - 1) < 1e-9
assert abs(scaled[last:].mean()) > 0.01  # others are not centred, and that is right
assert np.allclose(scaling.back(scaled[:, None])[:, 0], highest)

# %% [markdown]
# ## What is hard to beat
#
# "As today" (persistence), and the mean of the training part.


# %%
def rmse(errors):
    """The root of the mean square, in degrees."""
    return float(np.sqrt((errors**2).mean()))


test = parts["held out"]
today, truth = x[test][:, -1], y[test]
baselines = {
    "as today": rmse(today - truth),
    "the mean": rmse(highest[:last].mean() - truth),
}
print({name: round(value, 2) for name, value in baselines.items()})
assert 2.8 < baselines["as today"] < 3.0 < baselines["the mean"]

# %% [markdown]
# ## The network
#
# A GRU reads the thirty days. It is asked for the *change* until tomorrow, so that its
# first guess, with an output near zero, is persistence already. Beside the temperature
# it is given the season: the angle of the day in the year.

# %%
angle = (
    2
    * np.pi
    * (weather.dates - weather.dates.astype("datetime64[Y]")).astype(float)
    / 365.25
)
features = np.column_stack([scaled, np.sin(angle), np.cos(angle)])
inputs, _ = mg.data.windows(features, DAYS)
assert inputs.shape == (len(y), DAYS, 3)
target = (y - x[:, -1]) / scaling.deviation[0]


class Forecaster(mg.nn.Module):
    """The scaled change until tomorrow, from days (T, B, 3)."""

    def __init__(self, seed):
        self.gru = GRU(3, 12, dtype="float32", rng=seed)
        self.out = mg.nn.Linear(12, 1, dtype="float32", rng=seed)
        for p in self.out.parameters():  # begin near "no change"
            p.data = np.float32(0.1) * p.data

    def forward(self, days):
        output, _ = self.gru(days)
        return self.out(output[-1]).squeeze(-1)


def forecast(model, rows):
    """Degrees, for some windows."""
    with mg.no_grad():
        change = model(inputs[rows].swapaxes(0, 1).astype("float32")).data
    return x[rows][:, -1] + change * scaling.deviation[0]


model = Forecaster(0)
assert abs(rmse(forecast(model, test) - truth) - baselines["as today"]) < 0.3
optimizer = mg.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
rows = np.flatnonzero(parts["train"])
batches = mg.data.batches(rows, batch_size=32, rng=0)
curve, best = [], (np.inf, None)
for _ in range(14):
    for chosen in batches:
        guess = model(inputs[chosen].swapaxes(0, 1).astype("float32"))
        loss = mg.losses.mse(guess, target[chosen].astype("float32"))
        optimizer.zero_grad()
        loss.backward()
        mg.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    error = rmse(forecast(model, parts["validation"]) - y[parts["validation"]])
    curve.append(error)
    if error < best[0]:
        best = error, model.state_dict()
model.load_state_dict(best[1])

figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
axes.plot(range(1, len(curve) + 1), curve, "o-", color=BLUE)
axes.axhline(rmse((x[:, -1] - y)[parts["validation"]]), color=ORANGE, label="as today")
axes.set_xlabel("epoch")
axes.set_ylabel("RMSE in °C, validation")
axes.legend()
assert curve[-1] < curve[0]

# %% [markdown]
# ## How well, and how sure?

# %%
own = forecast(model, test)
print(f"RMSE {rmse(own - truth):.3f} °C, MAE {np.abs(own - truth).mean():.3f} °C; "
      f"as today: {baselines['as today']:.3f} °C")  # fmt: skip
assert rmse(own - truth) < baselines["as today"]
gain = paired(
    lambda k: rmse((own - truth)[k]) - rmse((today - truth)[k]), len(truth), block=7
)
print(f"difference {gain.value:+.3f} °C, 95 % {gain.low:+.3f} to {gain.high:+.3f}")
width = gain.high - gain.low
assert width > 0.04

# %% [markdown]
# The interval is far wider than 0.04 degrees: two forecasters that differ by so little
# on these days cannot be told apart by one year. Days in a row are alike, so they are
# drawn in blocks of a week; drawn one by one the interval would be too narrow.

# %%
shown = slice(150, 210)
figure, axes = plt.subplots(figsize=(8.0, 3.2), layout="constrained")
days = weather.dates[day[test]][shown]
axes.plot(days, truth[shown], color="black", label="what came")
axes.plot(days, own[shown], color=BLUE, label="forecast, the day before")
axes.plot(days, today[shown], color=ORANGE, linewidth=0.8, label="as today")
axes.set_ylabel("°C")
axes.legend()
axes.set_title("Two months that were held out")
axes.tick_params(axis="x", labelrotation=25)
late = np.corrcoef(own[1:], truth[:-1])[0, 1]  # with the day before
assert late > np.corrcoef(own, truth)[0, 1]
assert np.abs(np.diff(own)).mean() < np.abs(np.diff(today)).mean()

# %% [markdown]
# The forecast follows one day late, only less wildly: most of what can be known about
# tomorrow from temperatures alone is today's, drawn a little to what the season has.
#
# ## Try this
#
# - Leave out the season. Does it matter?
# - Let the network say the temperature itself and not the change.
# - `minigrad train weather`: wind and rain are read as well, and ridge regression
#   stands beside it.
#
# ## Exercises
#
# 1. Show that windows shuffled before the split let a "forecast" see its own answer.
# 2. The loss is the mean square. Which constant minimises it, and which the mean
#    absolute error?
# 3. What is the RMSE of persistence for white noise with deviation 1?

# %% [markdown]
# ### Solution 1
#
# Two windows that start a day apart share all days but one: the target of the first is
# the last day of the second.

# %%
assert y[k] == x[k + 1][-1]
assert (x[k][1:] == x[k + 1][:-1]).all()

# %% [markdown]
# ### Solution 2
#
# The mean, and the median.

# %%
values = np.array([0.0, 1.0, 5.0])
tried = np.linspace(0, 5, 501)
squares = [(values - c) @ (values - c) for c in tried]
sizes = [np.abs(values - c).sum() for c in tried]
assert tried[np.argmin(squares)] == 2.0 and tried[np.argmin(sizes)] == 1.0

# %% [markdown]
# ### Solution 3
#
# The difference of two independent numbers has variance 2: $\sqrt{2}$, more than the
# 1 that always saying the mean would give.

# %%
noise = np.random.default_rng(0).standard_normal(200_000)
assert abs(rmse(noise[1:] - noise[:-1]) - np.sqrt(2)) < 0.01

# %% [markdown]
# ## Sources
#
# - The days are NOAA's, as the package `vega_datasets` carries them; public domain.
# - H. R. Künsch (1989), *The jackknife and the bootstrap for general stationary
#   observations*: drawing in blocks.
# - K. Cho and others (2014), *Learning phrase representations using RNN
#   encoder-decoder*: the GRU.
