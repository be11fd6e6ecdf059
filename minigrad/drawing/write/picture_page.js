"use strict";
// What is here: pan and zoom, search, folding, notes about boxes. The picture itself is
// the SVG in the page; what is known about its boxes is in the JSON beside it.
(() => {
  const data = JSON.parse(document.getElementById("mg-data").textContent);
  const stage = document.querySelector("main");
  const LEGIBLE = 0.42;  // the smallest zoom that a page opens with
  const svg = stage.querySelector("svg");
  const root = svg.querySelector("g.graph");
  const note = document.getElementById("mg-note");
  const search = document.getElementById("mg-search");
  const found = document.getElementById("mg-found");
  const size = svg.viewBox.baseVal;
  const shape = { width: size.width * 4 / 3, height: size.height * 4 / 3 };
  svg.setAttribute("width", shape.width);
  svg.setAttribute("height", shape.height);

  // ------------------------------------------------------------- pan and zoom
  // A CSS transform of the whole svg: changing the viewBox would lay out every text.
  let view = { x: 0, y: 0, zoom: 1 };
  const show = () => {
    svg.style.transform = `translate(${view.x}px,${view.y}px) scale(${view.zoom})`;
    stage.dataset.zoom = view.zoom.toFixed(3);
  };
  const fit = () => {
    const box = stage.getBoundingClientRect();
    const zoom = Math.min(box.width / shape.width, box.height / shape.height, 1.5);
    view = { zoom, x: (box.width - shape.width * zoom) / 2,
      y: (box.height - shape.height * zoom) / 2 };
    show();
  };
  const start = () => {  // all of it, or its beginning where all would be too small
    fit();
    // In a frame (a lesson, a notebook) all of it: there is a button for larger.
    if (view.zoom >= LEGIBLE || window.parent !== window) return;
    const box = stage.getBoundingClientRect();
    const y = (box.height - shape.height * LEGIBLE) / 2;
    view = { zoom: LEGIBLE, x: 6, y: y > 0 ? y : 2 * y };
    show();
  };
  const zoomAt = (x, y, factor) => {
    const zoom = Math.min(8, Math.max(0.02, view.zoom * factor));
    const part = zoom / view.zoom;
    view = { zoom, x: x - (x - view.x) * part, y: y - (y - view.y) * part };
    show();
  };
  const zoomMiddle = (factor) => {
    const box = stage.getBoundingClientRect();
    zoomAt(box.width / 2, box.height / 2, factor);
  };
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomAt(event.clientX - box.left, event.clientY - box.top,
      Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });
  const fingers = new Map();  // one moves the picture, two zoom it
  let grip = null;
  let moved = false;
  const hold = () => {
    const [a, b] = [...fingers.values()];
    grip = !a ? null : { x: (a.x + (b || a).x) / 2, y: (a.y + (b || a).y) / 2,
      wide: b ? Math.hypot(a.x - b.x, a.y - b.y) : 0 };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || note.contains(event.target)) return;
    if (!fingers.size) moved = false;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    hold();
  });
  window.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = fingers.get(event.pointerId);
    if (!moved && Math.hypot(event.clientX - before.x, event.clientY - before.y) < 4) return;
    moved = true;
    const last = grip;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    hold();
    stage.classList.add("mg-drag");
    view = { zoom: view.zoom, x: view.x + grip.x - last.x, y: view.y + grip.y - last.y };
    const box = stage.getBoundingClientRect();
    if (last.wide && grip.wide) {
      zoomAt(grip.x - box.left, grip.y - box.top, grip.wide / last.wide);
    } else show();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    window.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      hold();
      if (!fingers.size) stage.classList.remove("mg-drag");
    });
  }

  // ------------------------------------------------------------- folding
  const byId = (id) => document.getElementById(id);
  const shade = (id, by) => {  // one element may be hidden by several folds
    const element = byId(id);
    if (!element) return;
    const count = Number(element.dataset.folds || 0) + by;
    element.dataset.folds = count;
    element.classList.toggle("mg-hidden", count > 0);
  };
  const space = "http://www.w3.org/2000/svg";
  const lids = new Map();
  const paint = (lid, cluster) => {  // a lid has the colours of its frame
    const outline = cluster.querySelector("path,polygon");
    lid.firstChild.setAttribute("fill", outline.getAttribute("fill"));
    lid.firstChild.setAttribute("stroke", outline.getAttribute("stroke"));
    const ink = cluster.querySelector("text")?.getAttribute("fill") || "#4a525c";
    for (const text of lid.querySelectorAll("text")) text.setAttribute("fill", ink);
  };
  const fold = (id) => {
    const known = data.folds[id];
    const cluster = byId(id);
    if (!known || !cluster) return;
    const open = lids.get(id);
    const by = open ? -1 : 1;
    for (const name of [...known.boxes, ...known.lines, ...known.inner]) shade(name, by);
    cluster.setAttribute("aria-expanded", String(Boolean(open)));
    if (open) {
      open.remove();
      lids.delete(id);
      return;
    }
    const outline = cluster.querySelector("path,polygon");
    const box = outline.getBBox();
    const lid = document.createElementNS(space, "g");
    lid.setAttribute("class", "mg-lid mg-fold");
    lid.dataset.of = id;
    const rect = document.createElementNS(space, "rect");
    for (const name of ["x", "y", "width", "height"]) rect.setAttribute(name, box[name]);
    rect.setAttribute("rx", 9);
    const text = document.createElementNS(space, "text");
    text.setAttribute("x", box.x + box.width / 2);
    text.setAttribute("y", box.y + box.height / 2);
    text.setAttribute("text-anchor", "middle");
    text.setAttribute("font-family", "Helvetica,Arial,DejaVu Sans,sans-serif");
    text.setAttribute("font-size", Math.max(9, Math.min(24, box.width / 9)));
    text.textContent = known.title;
    const count = document.createElementNS(space, "text");
    for (const { name, value } of text.attributes) count.setAttribute(name, value);
    count.setAttribute("y", box.y + box.height / 2 + 15);
    count.setAttribute("font-size", 9);
    count.textContent = known.boxes.length === 1 ? "1 box" : `${known.boxes.length} boxes`;
    lid.append(rect, text, count);
    paint(lid, cluster);
    lid.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!moved) fold(id);
    });
    root.append(lid);
    lids.set(id, lid);
  };
  for (const id of Object.keys(data.folds)) {
    const cluster = byId(id);
    if (!cluster) continue;
    cluster.classList.add("mg-fold");
    cluster.setAttribute("tabindex", "0");
    cluster.setAttribute("role", "button");
    cluster.setAttribute("aria-expanded", "true");
    cluster.setAttribute("aria-label", `fold ${data.folds[id].title}`);
    cluster.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!moved) fold(id);
    });
    cluster.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        fold(id);
      }
    });
  }
  const foldAll = (kind) => {
    const ids = Object.keys(data.folds).filter((id) => data.folds[id].kind === kind);
    const anyOpen = ids.some((id) => !lids.has(id));
    for (const id of ids) if (lids.has(id) !== anyOpen) fold(id);
    const button = document.querySelector(`button[data-do="${kind}s"]`);
    button.setAttribute("aria-pressed", String(anyOpen && ids.length > 0));
  };

  // ------------------------------------------------------------- notes
  const tell = (id) => {
    const facts = data.boxes[id];
    for (const old of svg.querySelectorAll(".mg-tied")) old.classList.remove("mg-tied");
    note.hidden = !facts;
    if (!facts) return;
    const list = note.querySelector("dl");
    list.replaceChildren();
    for (const [name, value] of Object.entries(facts.facts)) {
      const term = document.createElement("dt");
      const words = document.createElement("dd");
      term.textContent = name;
      words.textContent = value;
      list.append(term, words);
    }
    byId(id)?.classList.add("mg-tied");
    for (const other of facts.tied || []) byId(other)?.classList.add("mg-tied");
  };
  const owner = (element) => element.id.replace(/_heat\d+$/, "");  // a heat map's box
  for (const element of svg.querySelectorAll("g.node")) {
    element.setAttribute("tabindex", "-1");
    element.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!moved) tell(owner(element));
    });
  }
  byId("mg-close").addEventListener("click", () => tell(null));
  stage.addEventListener("click", (event) => {
    if (!moved && !note.contains(event.target)) tell(null);
  });

  // ------------------------------------------------------------- search
  let hits = [];
  let at = 0;
  const look = () => {
    const words = search.value.trim().toLowerCase();
    for (const element of svg.querySelectorAll(".mg-hit,.mg-dim")) {
      element.classList.remove("mg-hit", "mg-dim");
    }
    hits = [];
    at = 0;
    found.textContent = "";
    svg.classList.toggle("mg-searching", Boolean(words));
    if (!words) return;
    for (const element of svg.querySelectorAll("g.node")) {
      const facts = data.boxes[owner(element)];
      if (!facts) continue;
      const hit = facts.search.includes(words);
      if (!hit) element.classList.add("mg-dim");
      else if (element.id === owner(element)) {
        element.classList.add("mg-hit");
        hits.push(element);
      }
    }
    found.textContent = `${hits.length} found`;
  };
  const goTo = (element) => {
    const target = element.getBoundingClientRect();
    const box = stage.getBoundingClientRect();
    view = { zoom: view.zoom,
      x: view.x + box.left + box.width / 2 - target.left - target.width / 2,
      y: view.y + box.top + box.height / 2 - target.top - target.height / 2 };
    show();
    if (view.zoom < 0.7) zoomMiddle(0.9 / view.zoom);
  };
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !hits.length) return;
    goTo(hits[at]);
    tell(hits[at].id);
    found.textContent = `${at + 1} of ${hits.length}`;
    at = (at + 1) % hits.length;
  });

  // ------------------------------------------------------------- buttons and keys
  // The picture's colours in both themes, in the order in which they stand in the SVG.
  const painted = [];
  for (const element of [svg, ...svg.querySelectorAll("*")]) {
    for (const name of element.getAttributeNames()) {
      if (name === "fill" || name === "stroke") {
        painted.push([element, name, element.getAttribute(name)]);
      }
    }
  }
  const colours = data.colours?.used.length === painted.length ? data.colours : null;
  const dark = (on) => {
    const other = on !== (data.theme === "dark");
    document.body.classList.toggle("mg-dark", on);
    document.body.classList.toggle("mg-turned", other && !colours);
    document.querySelector('button[data-do="dark"]').setAttribute("aria-pressed", on);
    if (!colours) return;
    painted.forEach(([element, name, own], k) => {
      element.setAttribute(name, other ? colours.palette[colours.used[k]] : own);
    });
    for (const [id, lid] of lids) paint(lid, byId(id));
  };
  const prefers = window.matchMedia("(prefers-color-scheme: dark)").matches;
  dark(prefers || data.theme === "dark");
  const actions = {
    fit, in: () => zoomMiddle(1.25), out: () => zoomMiddle(0.8),
    gates: () => foldAll("gate"), steps: () => foldAll("step"),
    dark: () => dark(!document.body.classList.contains("mg-dark")),
  };
  for (const button of document.querySelectorAll("button[data-do]")) {
    button.addEventListener("click", () => actions[button.dataset.do]());
  }
  const keys = { "+": actions.in, "=": actions.in, "-": actions.out, "0": fit,
    g: actions.gates, s: actions.steps, d: actions.dark };
  const glossary = document.getElementById("mg-glossary");
  window.addEventListener("keydown", (event) => {
    if (glossary.popover && glossary.getClientRects().length) return;  // it is open
    if (event.key === "Escape") {
      search.value = "";
      look();
      search.blur();
      tell(null);
    }
    if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60],
      ArrowDown: [0, -60] }[event.key];
    if (step) {
      view = { zoom: view.zoom, x: view.x + step[0], y: view.y + step[1] };
      show();
      event.preventDefault();
    } else if (event.key === "/") {
      search.focus();
      event.preventDefault();
    } else if (keys[event.key]) keys[event.key]();
  });
  window.addEventListener("resize", start);
  start();
  document.documentElement.dataset.ready = "1";
})();
