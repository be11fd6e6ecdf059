// Playing: where we are, how we move, keys, the time line, the watched parameter.
const last = events.length - 1;
let now = 0;
let timer = null;
const slider = byId("mg-slider");
const say = (text) => { byId("mg-say").textContent = text; };
// What "run until" found stands beside its button, and on the time line.
let stopped = null;
const found = (text, event) => {
  byId("mg-until-said").textContent = text;
  stopped?.classList.remove("stopped");
  stopped = event ? cellOf[event.number].element : null;
  if (stopped) {
    stopped.classList.add("stopped");
    stopped.title = `${text}; ${stopped.getAttribute("aria-label")}`;
  }
  say(text);
};
const leaves = values.filter((v) => byTarget.has(v.number) && v.operation === null);
let watched = (leaves.find((v) => v.uses > 1) ?? leaves[0])?.number;
const largest = (kind) => leaves.find((v) => v.symbol[0] === kind)?.number;
watched = largest("W_h") ?? watched;

// ------------------------------------------------------------- the time line
const cells = [];  // {element, from, to}: stretches of events
const cellOf = [];  // event -> its cell
const timeLine = () => {
  const grid = byId("mg-grid");
  const loops = [...new Set(places.filter(({ step }) => step !== null).map((p) => p.loop))];
  const steps = loops.flatMap((loop) => [...new Set(
    places.filter((p) => p.step !== null && p.loop === loop).map((p) => p.step),
  )].sort((a, b) => a - b).map((step) => ({ loop, step })));
  const ranges = loops.map((loop) => {  // the first and the last operation of each loop
    const inside = events.filter((event, k) => event.operation !== undefined
      && places[k].step !== null && places[k].loop === loop).map((e) => e.operation);
    return { low: Math.min(...inside), high: Math.max(...inside) };
  });
  // The number of the loop before which an operation outside of all steps stands.
  const nextLoop = (k) => (places[k].step !== null || events[k].kind === "stacked" ? -1
    : ranges.findIndex(({ low }, n) => n > 0 && ranges[n - 1].high < events[k].operation
      && events[k].operation < low));
  loops.forEach((loop, n) => {  // a column between two loops, where something stands there
    if (n && events.some((event, k) => nextLoop(k) === n)) {
      steps.splice(steps.findIndex((s) => s.loop === loop), 0, { before: n });
    }
  });
  const firstOperation = Math.min(Infinity, ...ranges.map(({ low }) => low));
  const columnOf = (k) => {
    const { loop, step } = places[k];
    if (step !== null) return 1 + steps.findIndex((s) => s.loop === loop && s.step === step);
    const between = nextLoop(k);
    if (between > 0) return 1 + steps.findIndex(({ before }) => before === between);
    const { operation } = events[k];
    const after = operation !== undefined && operation > firstOperation
      && events[k].kind !== "stacked";
    return after ? steps.length + 1 : 0;
  };
  const rows = [];
  const known = new Map();
  places.forEach(({ side, layer }, k) => {
    let name = layer;
    if (places[k].step === null) {
      name = rows.findLast((row) => row.side === side)?.layer ?? null;
      if (name === null) {
        name = places.find((p, n) => n >= k && p.side === side && p.layer !== null)?.layer
          ?? null;
      }
    }
    let row = rows.find((r) => r.side === side && r.layer === name);
    if (!row) rows.push(row = { side, layer: name });
    const key = `${rows.indexOf(row)},${columnOf(k)}`;
    if (!known.has(key)) {
      known.set(key, { from: k, row: rows.indexOf(row), column: columnOf(k) });
      cells.push(known.get(key));
    }
    cellOf[k] = known.get(key);
  });
  const wide = steps.length + 2;
  grid.style.setProperty("--columns", wide);
  const layered = new Set(rows.map(({ layer }) => layer)).size > 1;
  grid.classList.toggle("dense", rows.length > 4);
  const every = Math.ceil(steps.length * 22 / Math.max(200, grid.clientWidth - 120));
  const heads = ["in", ...steps.map(({ before, step }, n) => (before ? "·"
    : n % every ? "" : step)), "out"];
  if (loops.length > 1) {  // which loop the steps below are of
    grid.append(el("span", "corner"), el("span", "head"));
    loops.forEach((loop, n) => {
      if (steps.some(({ before }) => n && before === n)) grid.append(el("span", "head"));
      const over = el("span", "head over", loop ?? "");
      over.style.gridColumn = `span ${steps.filter((s) => s.loop === loop).length}`;
      over.title = loop ?? "";
      grid.append(over);
    });
    grid.append(el("span", "head"));
  }
  grid.append(el("span", "corner"), ...heads.map((word, column) => {
    const at = steps[column - 1];  // a word: tap it for the states there
    if (!at || !series.size) return el("span", "head", String(word));
    const read = every === 1 && word !== "·" && data.words?.[at.step];
    const head = el("button", "head", read || String(word));
    head.type = "button";
    head.tabIndex = -1;
    head.title = `${stepName(at.step)}: values over time`;
    head.setAttribute("aria-label", head.title);
    head.addEventListener("click", () => showSeries(null, null, at.step));
    return head;
  }));
  rows.forEach(({ side, layer }, number) => {
    const arrow = side === "forward" ? "→" : "←";
    const name = layered ? `${layer?.replace("reverse", "rev.") ?? "joined"} ${arrow}`
      : `${side} ${arrow}`;
    const label = el("span", `row ${side}`, name);
    label.title = `${side}${layer ? `, ${layer}` : ""}`;
    grid.append(label);
    for (let column = 0; column < wide; column++) {
      const cell = known.get(`${number},${column}`);
      if (!cell) { grid.append(el("span", "gap")); continue; }
      const button = el("button", `cell ${side}`);
      button.type = "button";
      button.tabIndex = -1;
      const at = steps[column - 1];
      const place = column === 0 ? "before the steps" : column > steps.length ? "after the steps"
        : at.before ? `before ${loops[at.before]}`
          : `${at.loop ? `${at.loop}, ` : ""}step ${at.step}`;
      button.title = `${side}, ${layer ? `${layer}, ` : ""}${place}: event ${cell.from}`;
      button.setAttribute("aria-label", button.title);
      button.addEventListener("click", () => go(cell.from));
      cell.element = button;
      grid.append(button);
    }
  });
};
let lastCell = null;
const tick = () => {
  slider.value = now;
  slider.setAttribute("aria-valuetext", `event ${now} of ${last}, `
    + crumbs(events[now]).join(", "));
  byId("mg-count").textContent = `${now} / ${last}`;
  if (cellOf[now] !== lastCell) {
    lastCell?.element.removeAttribute("aria-current");
    lastCell = cellOf[now];
    lastCell.element.setAttribute("aria-current", "true");
    for (const { element, from } of cells) element.classList.toggle("past", from < now);
    const { offsetTop, offsetLeft, offsetWidth } = lastCell.element;
    const grid = byId("mg-grid");  // keep the current cell in view, and the page still
    if (grid.scrollHeight > grid.clientHeight) {
      grid.scrollTop = offsetTop - grid.offsetTop - grid.clientHeight / 2;
    }
    if (grid.scrollWidth > grid.clientWidth) {
      grid.scrollLeft = offsetLeft + offsetWidth / 2 - grid.clientWidth / 2;
    }
  }
};

// ------------------------------------------------------------- the watched parameter
let watchedThen = null;
const complete = (k) => byTarget.get(watched).some(({ kind, number }) =>
  kind === "gradient" && number <= k);
const watch = () => {
  if (watched === undefined) return;
  const gifts = byTarget.get(watched).filter(({ kind }) => kind !== "gradient");
  const shown = gifts.some(({ kind }) => kind !== "stacked")
    ? gifts.filter(({ kind }) => kind !== "stacked") : gifts;
  const bars = byId("mg-bars");
  if (watchedThen !== watched) {
    watchedThen = watched;
    const norms = shown.map(({ value }) => arrayOf(value).facts.norm);
    const tops = norms.filter((n) => n > 0 && Number.isFinite(n)).map(Math.log10);
    const high = Math.max(...tops), low = Math.min(...tops, high - 1);
    bars.replaceChildren(...shown.slice(0, 600).map((gift, k) => {
      const bar = el("button", "bar");
      bar.type = "button";
      bar.tabIndex = -1;
      const size = norms[k] > 0 ? (Math.log10(norms[k]) - low) / (high - low) : 0;
      const zero = norms[k] === 0;  // no bar: it gives nothing
      bar.classList.toggle("zero", zero);
      bar.style.setProperty("--part",
        zero ? 0 : Number.isFinite(size) ? 0.12 + 0.88 * size : 1);
      const step = gift.operation === undefined ? null : places[gift.number].step;
      bar.title = `${step === null ? gift.kind : `step ${step}`}: norm `
        + shortNumber(norms[k]);
      bar.setAttribute("aria-label", bar.title);
      bar.addEventListener("click", () => go(gift.number));
      bar.gift = gift;
      return bar;
    }));
    bars.append(el("span", "scale", tops.length ? `norm of each contribution, `
      + `${shortNumber(10 ** low)} to ${shortNumber(10 ** high)}, logarithmic` : ""));
  }
  for (const bar of bars.querySelectorAll(".bar")) {
    bar.classList.toggle("past", bar.gift.number <= now);
    bar.classList.toggle("here", bar.gift.number === now);
  }
  const so = byTarget.get(watched).findLast(({ number }) => number <= now);
  const count = shown.findLast(({ number, index }) => number <= now && index)?.index
    ?? (complete(now) ? values[watched].uses : 0);
  const total = values[watched].uses;
  byId("mg-watched").replaceChildren(el("p", "", so
    ? `${complete(now) ? "complete: " : ""}${count} of ${total} `
      + `${total === 1 ? "contribution" : "contributions"}, sum's norm `
      + shortNumber(running(so).facts.norm)
    : `nothing yet: ${many(total, "contribution")} to come`));
  const map = byId("mg-sum");
  if (map.dataset.event !== String(so?.number)) {
    map.dataset.event = String(so?.number);
    const array = so ? running(so) : null;
    map.replaceChildren(...(array && array.numbers && array.size
      ? [heatMap(array, () => {})] : []));
  }
};
const watchNext = (target) => {
  watched = target;
  byId("mg-watch-name").value = String(target);
  watch();
};

// ------------------------------------------------------------- going
let written = null;
const go = (k, smooth = true) => {
  now = Math.max(0, Math.min(last, k));
  const event = events[now];
  if (event.target !== undefined && values[event.target].operation === null
      && !byId("mg-pin").checked) {
    watched = event.target;
    byId("mg-watch-name").value = String(watched);
  }
  show(event);
  fill(event);
  tick();
  watch();
  follow(smooth);
  if (!timer) say(panel.querySelector("h2").textContent);
  clearTimeout(written);
  written = setTimeout(() => {
    try { history.replaceState(null, "", `#event=${now}`); } catch { /* in a frame */ }
  }, 200);
};
const move = (unit, back) => {
  pause();
  const found = seek(now, unit, back, watched);
  if (found !== null) go(found);
  else say(`no ${back ? "earlier" : "later"} ${unit === "contribution"
    ? `contribution to ${symbolText(values[watched].symbol)}` : unit}`);
};
const turn = () => {  // to the other pass
  pause();
  go(places[now].side === "forward" ? seek(now, "pass", false) ?? last : 0);
};
const pause = () => {
  clearTimeout(timer);
  timer = null;
  byId("mg-play").setAttribute("aria-pressed", "false");
  byId("mg-play").setAttribute("aria-label", "play");
};
const play = () => {
  if (timer) { pause(); return; }
  if (now === last) go(0);
  byId("mg-play").setAttribute("aria-pressed", "true");
  byId("mg-play").setAttribute("aria-label", "pause");
  const beat = () => {
    const wait = 1000 / Number(byId("mg-speed").value);
    timer = setTimeout(() => {
      go(now + 1, wait > 150);
      if (now === last) pause();
      else beat();
    }, wait);
  };
  beat();
};
const runUntil = () => {
  pause();
  const text = byId("mg-until").value;
  const holds = conditionOf(text);
  const field = byId("mg-until");
  field.setAttribute("aria-invalid", String(!holds));
  if (!holds) { found(`“${text}” is not a condition: see the suggestions`); return; }
  const event = events.find((one, k) => k > now && holds(one));
  if (event) {
    go(event.number);
    found(`stopped at event ${event.number}: ${text}`, event);
  } else found(`“${text}” does not happen in later events`);
};

// ------------------------------------------------------------- buttons and keys
const theme = (name) => {
  document.documentElement.dataset.theme = name;
  palette = null;
  if (current) { byId("mg-sum").dataset.event = ""; fill(events[now]); watch(); }
};
const help = byId("mg-help");
const actions = {
  play, turn, runUntil, fit,
  next: () => move("event"), previous: () => move("event", true),
  nextGate: () => move("gate"), previousGate: () => move("gate", true),
  nextStep: () => move("step"), previousStep: () => move("step", true),
  nextGift: () => move("contribution"), previousGift: () => move("contribution", true),
  first: () => { pause(); go(0); }, last: () => { pause(); go(last); },
  in: () => zoomMiddle(1.25), out: () => zoomMiddle(0.8), here: () => follow(true),
  theme: () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
  overTime: () => showSeries(null, null, places[now].step),
  closeSeries: () => byId("mg-over-time").close(),
  help: () => (help.open ? help.close() : help.showModal()),
  until: () => byId("mg-until").focus(),
  nextWatched: () => {
    const at = leaves.findIndex(({ number }) => number === watched);
    if (leaves.length) watchNext(leaves[(at + 1) % leaves.length].number);
    byId("mg-pin").checked = true;
    say(`watching ${symbolText(values[watched].symbol)}`);
  },
  nextEntry: () => nextEntry(1), previousEntry: () => nextEntry(-1),
  faster: () => { const s = byId("mg-speed"); s.selectedIndex = Math.min(
    s.options.length - 1, s.selectedIndex + 1); },
  slower: () => { const s = byId("mg-speed"); s.selectedIndex = Math.max(0,
    s.selectedIndex - 1); },
};
const keys = { ArrowRight: "next", ArrowLeft: "previous", n: "next", p: "previous",
  g: "nextGate", G: "previousGate", t: "nextStep", T: "previousStep", c: "nextGift",
  C: "previousGift", b: "turn", " ": "play", Home: "first", End: "last", u: "until",
  w: "nextWatched", "+": "in", "=": "in", "-": "out", 0: "fit", h: "here", d: "theme",
  o: "overTime", "?": "help", "]": "nextEntry", "[": "previousEntry", ">": "faster", "<": "slower" };
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open
    || byId("mg-over-time").open) return;
  const { target } = event;
  const glossary = byId("mg-glossary");
  if (glossary.popover && glossary.getClientRects().length) return;  // it is open
  const typing = target.matches("input[type=text], select");
  if (typing) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.key === " " && target.matches("button, summary, input")) return;
  if (target === slider && /^(Arrow|Home|End|Page)/.test(event.key)) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  actions[action]();
});
for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", () => actions[button.dataset.do]());
}
slider.addEventListener("input", () => { pause(); go(Number(slider.value), false); });
byId("mg-run").addEventListener("submit", (event) => {
  event.preventDefault();
  runUntil();
});
byId("mg-watch-name").addEventListener("change", (event) => {
  byId("mg-pin").checked = true;
  watchNext(Number(event.target.value));
});
byId("mg-over-time").addEventListener("click", (event) => {
  if (event.target === byId("mg-over-time")) event.target.close();
});
help.addEventListener("click", (event) => { if (event.target === help) help.close(); });

// Click on a box: to its next event in this pass; again: to the one after.
const eventsOf = new Map();
events.forEach((event, k) => {
  if (event.operation === undefined) return;
  const box = data.boxes[event.operation];
  if (!eventsOf.has(box)) eventsOf.set(box, []);
  eventsOf.get(box).push(k);
  if (event.kind !== "contribution") return;
  const tail = data.tails[data.lines[`${event.operation},${event.input}`]];
  if (ofOperations.has(tail)) return;
  if (!eventsOf.has(tail)) eventsOf.set(tail, []);
  eventsOf.get(tail).push(k);
});
svg?.addEventListener("click", (event) => {
  const group = event.target.closest("g.node");
  const known = group && eventsOf.get(group.id);
  if (!known || moved > 4) return;
  pause();
  const { side } = places[now];
  const same = known.filter((k) => places[k].side === side);
  const list = same.length ? same : known;
  go(list.find((k) => k > now && same.includes(now)) ?? list[0]);
});

// ------------------------------------------------------------- the start
const fromLink = () => {
  const match = /^#event=(\d+)$/.exec(location.hash);
  return match ? Number(match[1]) : null;
};
window.addEventListener("hashchange", () => {
  const k = fromLink();
  if (k !== null && k !== now) { pause(); go(k); }
});
const select = byId("mg-watch-name");
for (const { number, symbol, name, shape: _ } of leaves) {
  const option = el("option", "", symbolText(symbol) + (name && name !== symbol[0]
    ? ` (${name})` : ""));
  option.value = String(number);
  select.append(option);
}
const offers = byId("mg-offers");
const called = new Set(events.filter(({ kind }) => kind === "incoming").flatMap((event) =>
  operations[event.operation].outputs.map((k) => values[k].symbol))
  .filter(([, sub]) => sub).map(([base]) => base).filter((base) => base !== "v"));
for (const text of ["norm < 1e-6", ...(called.has("h") ? ["norm of h < 1e-6"] : []),
  ...leaves.map(({ symbol }) => `receives ${symbolText(symbol)}`), "nan", "inf"]) {
  offers.append(Object.assign(el("option"), { value: text }));
}
slider.max = String(last);
document.documentElement.dataset.theme =
  matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
if (svg) firsts();
timeLine();
firstView();
if (watched !== undefined) select.value = String(watched);
go(fromLink() ?? 0, false);
let width = window.innerWidth;
window.addEventListener("resize", () => {
  measure();
  if (window.innerWidth !== width) { width = window.innerWidth; firstView(); }
  follow(false);
});
document.documentElement.dataset.ready = "1";
