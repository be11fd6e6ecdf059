# %% [markdown]
# # 13. Tomorrow's temperature
#
# The network reads a month of days, and predicts a number in degrees. But most of the
# work is elsewhere: a split that does not look ahead, a good scale, and baselines that
# are hard to beat.
#
# *Time to run: about 25 s.*
#
# **You will be able to**
#
# - cut a series into windows and targets, without looking into the future;
# - scale the numbers by the training part alone, and say why;
# - train a forecaster, and compare its error in degrees with that of the simple
#   forecast "as today";
# - say whether a difference of a few hundredths of a degree means anything.
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
axes.set_title("Highest daily temperature in Seattle (right of the line: held out)")

# %% [markdown]
# ## A split that does not look ahead
#
# If we shuffled the days, the network could learn from days that come after the day it
# is asked about. So we do not shuffle, and the last quarter of the days is held out.
# From the days before, we keep the last fifth for validation: it tells us which epoch
# was best. A window belongs to the same part as its target. The 30 days of the window
# may lie in the part before, because they are in the past.

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
# A network learns best from numbers around zero. So we subtract the mean and divide by
# the standard deviation. Both come from the training part alone. If we took them from
# all days, they would tell the network something about the days that are held out.

# %%
scaling = mg.data.Scaling(highest[:last, None])
scaled = scaling(highest[:, None])[:, 0]
print(
    f"mean {scaling.mean[0]:.2f} °C, standard deviation {scaling.deviation[0]:.2f} °C"
)
assert abs(scaled[:last].mean()) < 1e-9 and abs(scaled[:last].std() - 1) < 1e-9
assert abs(scaled[last:].mean()) > 0.01  # the other days need not have mean 0
assert np.allclose(scaling.back(scaled[:, None])[:, 0], highest)

# %% [markdown]
# ## Two baselines
#
# The first baseline says that tomorrow will be as warm as today. Such a forecast is
# called persistence. The second baseline always says the mean of the training part.


# %%
def rmse(errors):
    """The root mean square error, in degrees."""
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
# A GRU reads the thirty days. It predicts the *change* until tomorrow. Before training
# its output is near zero, so its first forecast is almost the same as persistence.
# Besides the temperature it also reads the season, given as the day's angle in the
# circle of the year.

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
    """Reads days (T, B, 3) and predicts the scaled change until tomorrow."""

    def __init__(self, seed):
        self.gru = GRU(3, 12, dtype="float32", rng=seed)
        self.out = mg.nn.Linear(12, 1, dtype="float32", rng=seed)
        for p in self.out.parameters():  # start near "no change"
            p.data = np.float32(0.1) * p.data

    def forward(self, days):
        output, _ = self.gru(days)
        return self.out(output[-1]).squeeze(-1)


def forecast(model, rows):
    """The forecasts for some windows, in degrees."""
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
# ## How good is the forecast, and how sure are we?

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
# The interval is much wider than 0.04 degrees. So if two forecasters differ by only so
# little on these days, one year is not enough to say which of them is better. The
# interval comes from days that are drawn at random, again and again. Neighbouring days
# are similar, so we draw them in blocks of a week. If we drew single days, the interval
# would be too narrow.

# %%
shown = slice(150, 210)
figure, axes = plt.subplots(figsize=(8.0, 3.2), layout="constrained")
days = weather.dates[day[test]][shown]
axes.plot(days, truth[shown], color="black", label="true temperature")
axes.plot(days, own[shown], color=BLUE, label="forecast of the day before")
axes.plot(days, today[shown], color=ORANGE, linewidth=0.8, label="as today")
axes.set_ylabel("°C")
axes.legend()
axes.set_title("Two months of the held-out year")
axes.tick_params(axis="x", labelrotation=25)
late = np.corrcoef(own[1:], truth[:-1])[0, 1]  # with the day before
assert late > np.corrcoef(own, truth)[0, 1]
assert np.abs(np.diff(own)).mean() < np.abs(np.diff(today)).mean()

# %% [markdown]
# The forecast follows the true temperature one day late, and moves up and down less.
# From temperatures alone, most of what we can know about tomorrow is today's
# temperature. The best forecast is close to it, but a little closer to what is usual
# for the season.
#
# ## Try this
#
# - Leave out the season. Does the error change?
# - Let the network predict the temperature itself and not the change.
# - Run `minigrad train weather`. This network also reads wind and rain, and it is
#   compared with ridge regression.
#
# ## Exercises
#
# 1. Show that a "forecaster" can see its own answers in training if the windows are
#    shuffled before the split.
# 2. Our loss is the mean squared error. Which constant forecast minimises it? Which
#    constant minimises the mean absolute error?
# 3. What is the RMSE of persistence for white noise with standard deviation 1?

# %% [markdown]
# ### Solution 1
#
# Take two windows that start one day apart. The second window contains the target of
# the first window, as its last day. So if the first is in the test and the second in
# training, the answer has been seen.

# %%
assert y[k] == x[k + 1][-1]
assert (x[k][1:] == x[k + 1][:-1]).all()

# %% [markdown]
# ### Solution 2
#
# The mean minimises the mean squared error, and the median minimises the mean absolute
# error.

# %%
values = np.array([0.0, 1.0, 5.0])
tried = np.linspace(0, 5, 501)
squares = [(values - c) @ (values - c) for c in tried]
sizes = [np.abs(values - c).sum() for c in tried]
assert tried[np.argmin(squares)] == 2.0 and tried[np.argmin(sizes)] == 1.0

# %% [markdown]
# ### Solution 3
#
# The difference of two independent numbers with variance 1 has variance 2. So the RMSE
# is $\sqrt{2}$. This is worse than always saying the mean, which has an RMSE of 1.

# %%
noise = np.random.default_rng(0).standard_normal(200_000)
assert abs(rmse(noise[1:] - noise[:-1]) - np.sqrt(2)) < 0.01

# %% [markdown]
# ## Sources
#
# - The weather data come from NOAA, through the package `vega_datasets`. They are in
#   the public domain.
# - H. R. Künsch (1989), *The jackknife and the bootstrap for general stationary
#   observations*: why to draw in blocks.
# - K. Cho and others (2014), *Learning phrase representations using RNN
#   encoder-decoder*: the GRU.
