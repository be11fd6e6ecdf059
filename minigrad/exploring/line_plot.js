// A plot of curves as SVG, drawn for the width that there is.
const NS = "http://www.w3.org/2000/svg";
const svgEl = (tag, attributes, text) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  return element;
};
const DECADES = 18;  // a logarithmic axis shows at most so many; smaller: at its foot
const HEIGHT = 250, LEFT = 64, RIGHT = 14, TOP = 12, FOOT = 44;

// There are eight colours; the curves after them are dotted.
const colour = (k) => `c${k % 8}${k > 7 ? " dotted" : ""}`;
const niceTicks = (low, high, most) => {
  const raw = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= raw);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
};
const superscript = (k) => [...String(k)].map((c) => (c === "-" ? "⁻"
  : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");

// One axis: places of numbers between two pixels, and its ticks.
const linearAxis = (low, high, from, to, most) => {
  if (low === high) { low -= 0.5; high += 0.5; }
  const place = (v) => from + (v - low) / (high - low) * (to - from);
  return { place, inside: (v) => v >= low && v <= high, ticks: niceTicks(low, high, most).map((v) =>
    [place(v), few(v)]) };
};
const logAxis = ({ high, least }, from, to) => {
  const top = Math.ceil(Math.log10(high > 0 ? high : 1) - 1e-9);
  const floor = Math.max(Math.floor(Math.log10(Math.min(least, high)) + 1e-9),
    top - DECADES);
  const foot = floor < top ? floor : top - 1;
  const place = (v) => from + (Math.log10(v) - foot) / (top - foot) * (to - from);
  const step = Math.ceil((top - foot) / 6);
  const ticks = [];
  for (let k = top; k >= foot; k -= step) ticks.push([place(10 ** k), `10${superscript(k)}`]);
  return { place: (v) => (v > 0 ? Math.min(place(v), from) : from), ticks,
    inside: (v) => v > 0 && Math.log10(v) >= foot - 1e-9 };
};

// Curves of one plot. `options`: xspan, yspan, log, x and y (labels), labels (of an x
// axis of categories), kept (curves to compare with), at (the index pointed at), main
// (the index of the current setting), separate (points that no line joins).
const linePlot = (curves, width, options) => {
  const { xspan, yspan, log, kept = [], labels } = options;
  const svg = svgEl("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`,
    role: "img", class: "plot" });
  const right = width - RIGHT, bottom = HEIGHT - FOOT;
  const across = linearAxis(xspan.low, xspan.high, LEFT + 6, right, width / 70);
  const up = log ? logAxis(yspan, bottom, TOP)
    : linearAxis(yspan.low, yspan.high, bottom, TOP, 5);
  for (const [y, text] of up.ticks) {
    svg.append(svgEl("line", { x1: LEFT, x2: right, y1: y, y2: y, class: "rule" }),
      svgEl("text", { x: LEFT - 6, y: y + 4, class: "tick end" }, text));
  }
  const held = (v) => Math.max(LEFT + 6, Math.min(right, across.place(v)));
  const widest = labels ? Math.max(30, ...labels.map((text) => 7 * text.length + 8)) : 0;
  const every = labels ? Math.ceil(labels.length * widest / (right - LEFT)) : 1;
  const marks = labels ? labels.map((text, k) => [across.place(k), text])
    .filter((_, k) => k % every === 0) : across.ticks;
  for (const [middle, text] of marks) {
    const half = labels ? 3.5 * text.length : 0;  // a word at the end stays inside
    const x = Math.max(half, Math.min(width - half, middle));
    svg.append(svgEl("text", { x, y: bottom + 16, class: "tick middle" }, text));
  }
  svg.append(svgEl("line", { x1: LEFT, x2: right, y1: bottom, y2: bottom, class: "axis" }),
    svgEl("text", { x: (LEFT + right) / 2, y: HEIGHT - 8, class: "tick middle" },
      options.x ?? ""));
  const draw = ({ xs, ys }, className) => {
    let path = "", pen = false;
    const dots = [];
    const few = ys.length <= 60 || className.includes("path");
    for (let k = 0; k < ys.length; k++) {
      if (!Number.isFinite(ys[k]) || !Number.isFinite(xs[k])) { pen = false; continue; }
      const x = held(xs[k]), y = up.place(ys[k]);
      path += `${pen ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`;
      pen = true;
      if (few) dots.push(svgEl("circle", { cx: x.toFixed(2), cy: y.toFixed(2), r: options.separate ? 4 : 2.6,
        class: up.inside(ys[k]) && across.inside(xs[k]) ? "dot" : "dot below" }));
    }
    const group = svgEl("g", { class: className });
    if (!options.separate) group.append(svgEl("path", { d: path }));
    group.append(...dots);
    svg.append(group);
  };
  kept.forEach((curve, k) => draw(curve, `curve kept ${colour(k)}`));
  curves.forEach((curve, k) => draw(curve, `curve ${colour(k)}`));
  const ring = (k, className) => curves.forEach(({ xs, ys }, c) => {
    if (k >= ys.length || !Number.isFinite(ys[k])) return;
    svg.append(svgEl("circle", { cx: held(xs[k]), cy: up.place(ys[k]), r: 5.5,
      class: `${className} c${c % 8}` }));
  });
  if (options.main !== undefined) ring(options.main, "ring main");
  if (options.at !== undefined && options.at !== null) ring(options.at, "ring");
  svg.nearest = (pixel) => {  // the index of the point that is nearest across
    let best = null, least = Infinity;
    for (const { xs } of curves) xs.forEach((x, k) => {
      const far = Math.abs(held(x) - pixel);
      if (far < least) { least = far; best = k; }
    });
    return best;
  };
  return svg;
};

// A plot that is pointed at: the numbers at one index are read out below it.
const readable = (svg, curves, options, readout, move) => {
  const tell = (k) => {
    readout.replaceChildren();
    if (k === null || k === undefined) return;
    const x = curves.find(({ xs }) => k < xs.length)?.xs[k];
    readout.append(el("span", "place", options.labels ? options.labels[k]
      : `${options.x || "index"} ${few(x)}`));
    curves.forEach(({ name, xs, ys }, c) => {
      if (k >= ys.length) return;
      const own = xs[k] === x ? "" : ` (at ${few(xs[k])})`;
      const item = el("span", `key ${colour(c)}`, `${name}${own} `);
      item.append(numberElement("b", ys[k]));
      readout.append(item);
    });
  };
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-label", `${curves.map(({ name }) => name).join(", ")}: arrow `
    + "keys read out the numbers");
  const pointed = (event) => {
    const box = svg.getBoundingClientRect();
    move(svg.nearest(event.clientX - box.left));
  };
  svg.addEventListener("pointermove", pointed);
  svg.addEventListener("pointerdown", pointed);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const last = Math.max(...curves.map(({ ys }) => ys.length)) - 1;
    move(Math.max(0, Math.min(last, (options.at ?? (step > 0 ? -1 : last + 1)) + step)));
  });
  tell(options.at);
};
