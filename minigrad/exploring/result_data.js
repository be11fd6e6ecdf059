// The data of the page: settings, and what was computed for each.
const data = JSON.parse(document.getElementById("mg-data").textContent);
const byId = (id) => document.getElementById(id);
const el = (tag, className, ...parts) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...parts);
  return element;
};
const { parameters, results } = data;
const numbers = (() => {
  const text = atob(data.numbers);
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) =>
    view.getFloat64(8 * k, true));
})();
const arrayAt = ([place, count]) => numbers.subarray(place, place + count);

// A setting is an index per parameter; its number counts the last one fastest.
const numberOf = (indices) => indices.reduce((number, index, k) =>
  number * parameters[k].labels.length + index, 0);
const recordOf = (result, indices) => {
  const at = result.at[numberOf(indices)];
  return at === null || at === undefined ? null : result.records[at];
};
const curvesOf = (record) => record.curves.map(([name, x, y]) => {
  const ys = arrayAt(y);
  return { name, ys, xs: x ? arrayAt(x) : Float64Array.from(ys, (_, k) => k) };
});
const gridOf = ([place, rows, columns, rowNames, columnNames]) => ({
  rows, columns, numbers: arrayAt([place, rows * columns]),
  row: (k) => (rowNames ? rowNames[k] : String(k)),
  column: (k) => (columnNames ? columnNames[k] : String(k)),
});

// Numbers as text: few digits, or every one.
let allDigits = false;
const exact = (x) => (Number.isNaN(x) ? "NaN" : String(x).replace("Infinity", "∞"))
  .replace("-", "−");
const few = (x) => {
  if (!Number.isFinite(x) || x === 0) return exact(x);
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-3 ? x.toExponential(3)
    : String(Number(x.toPrecision(5)));
  return text.replace("e+", "e").replaceAll("-", "−");
};
const shown = (x) => (allDigits ? exact(x) : few(x));
// An element with a number: what is rounded is there in full as `data-value`.
const numberElement = (tag, x) => {
  const element = el(tag, "", shown(x));
  element.dataset.value = String(x);
  element.title = exact(x);
  return element;
};

// The span of all numbers that a result ever shows: the same axes for all settings.
const spanOf = (lists) => {
  const span = { low: Infinity, high: -Infinity, least: Infinity };
  for (const list of lists) for (const x of list) {
    if (!Number.isFinite(x)) continue;
    if (x < span.low) span.low = x;
    if (x > span.high) span.high = x;
    if (x > 0 && x < span.least) span.least = x;
  }
  if (span.low > span.high) { span.low = 0; span.high = 1; }
  return span;
};
const manyDecades = ({ low, high, least }) =>
  low >= 0 && high > 0 && high / least > 1000;
