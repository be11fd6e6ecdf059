// The values of a gate or state over time, and which states are most alike.
const series = new Map();  // "f" or "h^(1)" -> [{value, step}], in the order of time
for (const value of values) {
  const [base, sub, sup] = value.symbol;
  const steps = /^([^\d,][^,]*,)?\d+$/.test(sub);
  if (value.operation === null || !steps || base === "v") continue;
  const step = level(value.operation, "step")?.[2];
  if (step === undefined || step === null) continue;
  const name = seriesName(value.symbol) + (sup && `^${sup}`);
  if (!series.has(name)) series.set(name, []);
  series.get(name).push({ value: value.number, step });
}
for (const [name, points] of series) {
  points.sort((a, b) => a.step - b.step);
  const shapes = new Set(points.map(({ value }) => valueArray(value).shape.join()));
  const whole = points.every(({ value }) => valueArray(value).numbers);
  if (points.length < 2 || shapes.size > 1 || !whole) series.delete(name);
}
const seriesOf = (k) => {  // the series that a value belongs to
  const name = seriesName(values[k].symbol) + (values[k].symbol[2]
    && `^${values[k].symbol[2]}`);
  return series.get(name)?.some(({ value }) => value === k) ? name : null;
};
const stepName = (step) => (data.words?.[step] === undefined ? `step ${step}`
  : `${step}: ${data.words[step]}`);
const alike = (a, b) => {  // the cosine of the angle between two states
  let [both, left, right] = [0, 0, 0];
  a.forEach((x, k) => { both += x * b[k]; left += x * x; right += b[k] * b[k]; });
  return left && right ? both / Math.sqrt(left * right) : null;
};
const overTime = { name: null, unit: 0, step: null };
const drawSeries = () => {
  const points = series.get(overTime.name);
  const arrays = points.map(({ value }) => valueArray(value));
  const { shape } = arrays[0];
  const size = arrays[0].size;
  overTime.unit = Math.min(overTime.unit, size - 1);
  if (!points.some(({ step }) => step === overTime.step)) overTime.step = points[0].step;
  const units = byId("mg-unit");
  units.replaceChildren(...Array.from({ length: Math.min(size, 512) }, (_, k) =>
    Object.assign(el("option", "", `entry ${placeText(k, shape)}`), { value: k })));
  units.value = String(overTime.unit);
  byId("mg-series-name").value = overTime.name;
  const numbers = arrays.map((array) => Number(array.numbers[overTime.unit]));
  const most = Math.max(...numbers.map(Math.abs)) || 1;
  byId("mg-series").replaceChildren(...points.map(({ step }, k) => {
    const bar = el("button", "", el("span", "name", stepName(step)),
      el("span", "track", el("i", numbers[k] < 0 ? "less" : "")),
      el("span", "number", shortNumber(numbers[k])));
    bar.type = "button";
    bar.dataset.value = String(numbers[k]);
    bar.title = exact(numbers[k]);
    bar.querySelector("i").style.width = `${Math.abs(numbers[k]) / most * 100}%`;
    bar.setAttribute("aria-pressed", String(step === overTime.step));
    bar.addEventListener("click", () => { overTime.step = step; drawSeries(); });
    return bar;
  }));
  const here = points.findIndex(({ step }) => step === overTime.step);
  const near = points.map(({ step }, k) => ({ step, size: k === here ? null
    : alike(arrays[here].numbers, arrays[k].numbers) }))
    .filter(({ size: found }) => found !== null).sort((a, b) => b.size - a.size);
  byId("mg-alike").replaceChildren(
    el("p", "facts", `Most like ${overTime.name} at ${stepName(overTime.step)}, by the `
      + "cosine of the angle between them (1: the same direction):"),
    el("ol", "", ...near.slice(0, 3).map(({ step, size: found }) => {
      const item = el("li", "", `${stepName(step)}: ${shortNumber(found)}`);
      item.dataset.value = String(found);
      return item;
    })));
};
const showSeries = (name, unit, step) => {
  if (!series.size) { say("there is no gate or state with several steps"); return; }
  overTime.name = series.has(name) ? name : series.has("h") ? "h" : [...series.keys()][0];
  overTime.unit = unit ?? overTime.unit;
  overTime.step = step ?? overTime.step;
  drawSeries();
  byId("mg-over-time").showModal();
};
for (const name of series.keys()) {
  byId("mg-series-name").append(Object.assign(el("option", "", name), { value: name }));
}
byId("mg-series-name").addEventListener("change", (event) => {
  overTime.name = event.target.value;
  drawSeries();
});
byId("mg-unit").addEventListener("change", (event) => {
  overTime.unit = Number(event.target.value);
  drawSeries();
});
