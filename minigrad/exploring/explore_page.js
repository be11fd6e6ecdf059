// The sliders, and a card for each result.
const start = parameters.map((p) => p.start);
let now = [...start], kept = null, active = 0, fitted = false;
const settingText = (indices) => parameters.map((p, k) =>
  `${p.name.replaceAll("_", " ")} ${p.labels[indices[k]]}`).join(", ");
const sliders = parameters.map((_, k) => byId(`mg-slider-${k}`));
const first = sliders.findIndex(Boolean);
if (first > 0) active = first;

// ------------------------------------------------------------- tables
const MOST_ROWS = 2000;
const tableOf = (head, rows) => {
  const table = el("table");
  const top = el("tr", "", ...head.map((text) => el("th", "", text)));
  top.querySelectorAll("th").forEach((cell) => { cell.scope = "col"; });
  table.append(el("thead", "", top));
  const body = el("tbody");
  for (const row of rows.slice(0, MOST_ROWS)) {
    body.append(el("tr", "", ...row.map((cell, k) => (k ? cell
      : Object.assign(el("th", "", cell), { scope: "row" })))));
  }
  table.append(body);
  const box = el("div", "scroll", table);
  if (rows.length > MOST_ROWS) box.append(`the first ${MOST_ROWS} of ${rows.length} rows`);
  return box;
};
const curveTable = ({ curves, labels }, x) => {
  const length = Math.max(...curves.map(({ ys }) => ys.length));
  const same = curves.every(({ xs }) => xs.length === length
    && xs.every((value, k) => value === curves[0].xs[k]));
  const head = [x || "index"], rows = Array.from({ length }, (_, k) =>
    [labels ? labels[k] : same ? few(curves[0].xs[k]) : String(k)]);
  for (const { name, xs, ys } of curves) {
    if (!same) head.push(`${name}: ${x || "x"}`);
    head.push(name);
    rows.forEach((row, k) => {
      if (!same) row.push(k < xs.length ? numberElement("td", xs[k]) : el("td"));
      row.push(k < ys.length ? numberElement("td", ys[k]) : el("td"));
    });
  }
  return tableOf(head, rows);
};
const gridTable = (grid) => tableOf(["", ...Array.from({ length: grid.columns },
  (_, k) => grid.column(k))], Array.from({ length: grid.rows }, (_, r) =>
  [grid.row(r), ...Array.from({ length: grid.columns }, (_, c) =>
    numberElement("td", grid.numbers[r * grid.columns + c]))]));

// ------------------------------------------------------------- cards
const room = (stage) => Math.max(200, (stage.clientWidth || 424) - 4);  // for a plot
// Each kind of result: what its card has, and how it is drawn for a setting.
const legend = (curves) => el("p", "legend", ...(curves.length > 1
  ? curves.map(({ name }, k) => el("span", `key ${colour(k)}`, name)) : []));
// The axes of a setting are those of all settings that reach as far across: a longer
// sequence has other axes, and any other knob leaves them as they are. Where the
// function said how far the axis goes (xlim), all settings share one pair.
const spansOf = (curves) =>
  [spanOf(curves.map(({ xs }) => xs)), spanOf(curves.map(({ ys }) => ys))];
const joined = (one, other) => ({ low: Math.min(one.low, other.low),
  high: Math.max(one.high, other.high), least: Math.min(one.least, other.least) });
const sharedAxes = (all, xlim) => {
  const extent = (curves) => (xlim ? 0 : spansOf(curves)[0].high);
  const groups = new Map();
  for (const curves of all) {
    const far = extent(curves);
    if (!groups.has(far)) groups.set(far, []);
    groups.get(far).push(...curves);
  }
  const spans = new Map([...groups].map(([far, curves]) => [far, spansOf(curves)]));
  return (those) => those.map((curves) => spans.get(extent(curves)))
    .reduce(([x, y], [u, v]) => [joined(x, u), joined(y, v)]);
};
const folded = (make) => {
  const details = el("details", "", el("summary", "", "numbers"));
  let last = null;
  const fill = () => {
    details.querySelector(".scroll")?.remove();
    if (details.open && last) details.append(make(last));
  };
  details.addEventListener("toggle", fill);
  return { details, show: (given) => { last = given; fill(); } };
};
const lineCard = (result, card) => {
  const stage = el("div", "stage"), readout = el("p", "readout");
  const names = el("div");
  const numbersBelow = folded((given) => curveTable(given, result.x));
  card.append(names, stage, readout, numbersBelow.details);
  const shared = sharedAxes(result.records.map(curvesOf), result.xlim);
  const heights = spanOf(result.records.map(curvesOf).flat().map(({ ys }) => ys));
  let log = result.log ?? manyDecades(heights), at = null;
  const toggle = el("button", "small");
  toggle.type = "button";
  toggle.addEventListener("click", () => { log = !log; card.draw(); });
  if (heights.high > 0) card.querySelector("h2").append(toggle);
  return (indices) => {
    const record = recordOf(result, indices);
    if (!record) return false;
    const curves = curvesOf(record);
    toggle.textContent = log ? "logarithmic" : "linear";
    toggle.title = `show a ${log ? "linear" : "logarithmic"} axis`;
    const record0 = kept && recordOf(result, kept);
    const old = record0 ? curvesOf(record0) : [];
    const [across, up] = fitted ? spansOf([...curves, ...old])
      : shared(old.length ? [curves, old] : [curves]);
    const [low, high] = result.xlim ?? [across.low, across.high];
    const options = { xspan: { low, high }, yspan: up, log, x: result.x, at,
      labels: record.labels, kept: old };
    const held = stage.contains(document.activeElement);
    const svg = linePlot(curves, room(stage), options);
    readable(svg, curves, options, readout, (k) => {
      if (k !== at) { at = k; card.draw(); }
    });
    stage.replaceChildren(svg);
    if (held) svg.focus();
    names.replaceChildren(el("p", "ylabel", result.y ?? ""), legend(curves));
    numbersBelow.show({ curves, labels: record.labels });
    return true;
  };
};
const gridCard = (result, card) => {
  const stage = el("div", "stage"), readout = el("p", "readout");
  const numbersBelow = folded(gridTable);
  card.append(stage, readout, numbersBelow.details);
  const span = spanOf(result.records.map((record) => gridOf(record).numbers));
  let at = null;
  return (indices) => {
    const record = recordOf(result, indices);
    if (!record) return false;
    const grid = gridOf(record);
    const used = fitted ? spanOf([grid.numbers]) : span;
    const scale = Math.max(Math.abs(used.low), Math.abs(used.high)) || 1;
    const held = stage.contains(document.activeElement);
    const canvas = heatMap(grid, scale, room(stage), at, readout, (k) => {
      if (k !== at) { at = k; card.draw(); }
    });
    stage.replaceChildren(canvas, columnNames(grid, canvas));
    if (held) canvas.focus();
    numbersBelow.show(grid);
    return true;
  };
};
// A number, and the same number at all values of the slider that moved last.
const numberCard = (result, card) => {
  const big = el("p", "big"), stage = el("div", "stage"), readout = el("p", "readout");
  card.append(big, stage, readout);
  const values = result.records.map((k) => numbers[k]);
  const span = spanOf([values]);
  let log = manyDecades(span);
  const toggle = el("button", "small");
  toggle.type = "button";
  toggle.addEventListener("click", () => { log = !log; card.draw(); });
  if (span.high > 0) card.querySelector("h2").append(toggle);
  return (indices) => {
    const record = recordOf(result, indices);
    if (record === null) return false;
    toggle.textContent = log ? "logarithmic" : "linear";
    big.replaceChildren(numberElement("output", numbers[record]));
    const old = kept && recordOf(result, kept);
    if (old !== null && old !== undefined) {
      big.append(el("span", "was", "kept: ", numberElement("span", numbers[old])));
    }
    const { labels, name } = parameters[active];
    const points = labels.map((_, k) => recordOf(result, indices.with(active, k)));
    const sweep = { name: result.name, xs: Float64Array.from(labels, (_, k) => k),
      ys: Float64Array.from(points, (k) => (k === null ? NaN : numbers[k])) };
    stage.replaceChildren();
    readout.replaceChildren();
    if (labels.length < 2) return true;
    const options = { xspan: { low: 0, high: labels.length - 1 }, log, labels,
      yspan: fitted ? spanOf([sweep.ys]) : span, x: name.replaceAll("_", " "),
      main: indices[active],
      separate: labels.some((label) => Number.isNaN(Number(label))) };
    const svg = linePlot([sweep], room(stage), options);
    svg.setAttribute("aria-label", `${result.name} over ${options.x}`);
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      set(active, svg.nearest(event.clientX - box.left));
    });
    stage.append(svg);
    return true;
  };
};
const textCard = (result, card) => {
  const words = el("p", "words");
  card.append(words);
  return (indices) => {
    const record = recordOf(result, indices);
    if (record === null) return false;
    words.textContent = record === true ? "yes" : record === false ? "no" : record;
    return true;
  };
};
// A drawing that nearly has room is made to fit. Of a larger one the end is seen first,
// where the result is: its box is the highest, as data flow upward.
const SMALLEST = 0.65;  // of its size; letters get too small below
const fitDrawing = (stage, svg) => {
  const wide = svg.width.baseVal.value;
  svg.classList.toggle("fitted", stage.clientWidth < wide
    && stage.clientWidth > SMALLEST * wide);
};
const showResult = (stage) => {
  const places = [...stage.querySelectorAll("g.node")].map((node) =>
    node.getBoundingClientRect());
  if (!places.length) return;
  const highest = places.reduce((one, other) => (other.top < one.top ? other : one));
  const middle = (highest.left + highest.right) / 2 - stage.getBoundingClientRect().left;
  stage.scrollTo(stage.scrollLeft + middle - stage.clientWidth * 0.7, 0);
};
const parser = new DOMParser();
const pictureCard = (result, card) => {
  card.classList.add("wide");
  const stage = el("div", "drawing");
  card.append(stage);
  let last = null, first = true;
  return (indices) => {
    const record = recordOf(result, indices);
    if (!record) return false;
    if (record === last) {
      stage.querySelectorAll("svg").forEach((svg) => fitDrawing(stage, svg));
      return true;
    }
    last = record;
    const text = record.map((k) => data.svg[k]).join("\n");
    if (result.kind === "figure") {
      const image = el("img");
      image.alt = `${result.name}, ${settingText(indices)}`;
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
      stage.replaceChildren(image);
    } else {
      const svg = document.importNode(
        parser.parseFromString(text, "image/svg+xml").documentElement, true);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `${result.name}, ${settingText(indices)}`);
      const [left, top] = [stage.scrollLeft, stage.scrollTop];
      stage.replaceChildren(svg);
      fitDrawing(stage, svg);
      if (first) showResult(stage);
      else stage.scrollTo(left, top);
      first = false;
    }
    return true;
  };
};
const kinds = { lines: lineCard, grid: gridCard, number: numberCard, text: textCard,
  truth: textCard, picture: pictureCard, figure: pictureCard };
const cards = results.map((result) => {
  const title = result.name.replaceAll("_", " ");
  const card = el("article", `card ${result.kind}`, el("h2", "", title));
  card.dataset.result = result.name;
  byId("mg-results").append(card);
  const draw = kinds[result.kind](result, card);
  const none = el("p", "facts", "not computed for this setting");
  card.draw = () => {
    const there = draw(now);
    card.classList.toggle("empty", !there);
    if (there) none.remove();
    else card.append(none);
  };
  return card;
});

// ------------------------------------------------------------- going
let written = null;
const draw = () => {
  parameters.forEach((p, k) => {
    const output = byId(`mg-value-${k}`);
    output.textContent = allDigits ? p.exact[now[k]] : p.labels[now[k]];
    output.title = p.exact[now[k]];
    if (!sliders[k]) return;
    sliders[k].value = String(now[k]);
    sliders[k].setAttribute("aria-valuetext", p.labels[now[k]]);
    sliders[k].closest(".knob").classList.toggle("active", k === active);
  });
  for (const card of cards) card.draw();
  byId("mg-kept").hidden = !kept;
  byId("mg-kept").textContent = kept ? `kept, dashed: ${settingText(kept)}` : "";
  document.querySelector("[data-do=keep]").setAttribute("aria-pressed", String(!!kept));
  clearTimeout(written);
  written = setTimeout(() => {
    const at = parameters.map((p, k) => `${encodeURIComponent(p.name)}=`
      + encodeURIComponent(p.labels[now[k]])).join("&");
    try { history.replaceState(null, "", `#${at}`); } catch { /* in a frame */ }
    const told = results.filter(({ kind }) => ["number", "text"].includes(kind))
      .map((result) => [result, recordOf(result, now)]).filter(([, r]) => r !== null)
      .map(([result, r]) => `${result.name} ${result.kind === "text" ? r
        : few(numbers[r])}`);
    byId("mg-say").textContent = told.join(", ");
  }, 250);
};
const set = (k, index) => {
  active = k;
  now[k] = Math.max(0, Math.min(parameters[k].labels.length - 1, index));
  draw();
};
sliders.forEach((slider, k) => {
  slider?.addEventListener("input", () => set(k, Number(slider.value)));
  slider?.addEventListener("focus", () => { if (k !== active) { active = k; draw(); } });
});

// ------------------------------------------------------------- buttons and keys
const help = byId("mg-help");
const press = (name, on) => document.querySelector(`[data-do=${name}]`)
  .setAttribute("aria-pressed", String(on));
const actions = {
  theme: () => {
    const root = document.documentElement;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    palette = null;
    draw();
  },
  help: () => (help.open ? help.close() : help.showModal()),
  keep: () => { kept = kept ? null : [...now]; draw(); },
  fitted: () => { fitted = !fitted; press("fitted", fitted); draw(); },
  exact: () => { allDigits = !allDigits; press("exact", allDigits); draw(); },
  reset: () => { now = [...start]; kept = null; draw(); },
};
const keys = { k: "keep", f: "fitted", x: "exact", r: "reset", d: "theme", "?": "help" };
const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const { key, target } = event;
  const glossary = byId("mg-glossary");
  if (glossary.popover && glossary.getClientRects().length) return;  // it is open
  if (/^[1-9]$/.test(key) && sliders[Number(key) - 1]) {
    sliders[Number(key) - 1].focus();
  } else if (keys[key]) actions[keys[key]]();
  else if (target.matches("input, button, summary, canvas, svg, .scroll")) return;
  else if (/^Arrow(Left|Right)$/.test(key)) set(active, now[active] + moves[key]);
  else return;
  event.preventDefault();
});
for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", () => actions[button.dataset.do]());
}
help.addEventListener("click", (event) => { if (event.target === help) help.close(); });

// ------------------------------------------------------------- the start
const fromLink = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  parameters.forEach((p, k) => {
    const index = p.labels.indexOf(given.get(p.name));
    if (index >= 0) now[k] = index;
  });
};
window.addEventListener("hashchange", () => { fromLink(); draw(); });
document.documentElement.dataset.theme =
  matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
fromLink();
draw();
let wide = innerWidth;
window.addEventListener("resize", () => {
  if (innerWidth !== wide) { wide = innerWidth; draw(); }
});
document.documentElement.dataset.ready = "1";
