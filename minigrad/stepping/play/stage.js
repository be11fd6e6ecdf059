// The drawing: what is lit, what has happened, and a camera that follows.
const byId = (id) => document.getElementById(id);
const stage = byId("mg-stage");
const svg = stage.querySelector("svg");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const view = { x: 0, y: 0, zoom: 1 };
let shape = { width: 1, height: 1, x: 0, y: 0 };
let lit = [];

const parts = new Map();  // id of a box or line -> its element
const moments = [];  // [event, id, class that it gets then], in order of events
if (svg) {
  const box = svg.viewBox.baseVal;
  shape = { width: box.width * 4 / 3, height: box.height * 4 / 3 };
  svg.setAttribute("width", shape.width);
  svg.setAttribute("height", shape.height);
  svg.removeAttribute("style");
  for (const group of svg.querySelectorAll("g.node, g.edge")) parts.set(group.id, group);
}
const areaOf = (id) => {  // where a box is, in pixels of the whole drawing
  const [x, y, width, height] = data.areas[id].map((n) => n * 4 / 3);
  return { x, y, width, height };
};
let room = { width: 0, height: 0 };  // of the stage: measured when the window changes
const measure = () => { room = stage.getBoundingClientRect(); };
measure();

// ------------------------------------------------------------- what has happened
const ofOperations = new Set(Object.values(data.boxes));
const firsts = () => {
  const done = new Map(), felt = new Map();
  const first = (map, id, k) => { if (id && !map.has(id)) map.set(id, k); };
  events.forEach((event, k) => {
    if (event.operation === undefined) return;
    const box = data.boxes[event.operation];
    if (event.kind === "forward") first(done, box, k);
    if (event.kind === "incoming") first(felt, box, k);
    if (event.kind === "contribution") {
      const line = data.lines[`${event.operation},${event.input}`];
      first(felt, line, k);
      first(felt, data.tails[line], k);
    }
  });
  for (const [line, [tail, head]] of Object.entries(data.ends)) {
    const at = done.get(head) ?? 0;
    first(done, line, at);
    if (!ofOperations.has(tail)) done.set(tail, Math.min(done.get(tail) ?? at, at));
  }
  for (const [id, k] of done) moments.push([k, id, "todo"]);
  for (const [id, k] of felt) moments.push([k, id, "felt"]);
  moments.sort((a, b) => a[0] - b[0]);
  for (const [, id, name] of moments) {
    if (name === "todo") parts.get(id)?.classList.add("todo");
  }
};
let told = 0;  // how many of the moments have been shown
const happen = (now) => {
  while (told < moments.length && moments[told][0] <= now) {
    const [, id, name] = moments[told++];
    parts.get(id)?.classList.toggle(name, name === "felt");
  }
  while (told > 0 && moments[told - 1][0] > now) {
    const [, id, name] = moments[--told];
    parts.get(id)?.classList.toggle(name, name === "todo");
  }
};

// ------------------------------------------------------------- what is lit
const light = (id, name) => {
  const group = parts.get(id);
  if (!group || group.classList.contains("now")) return;
  group.classList.add(name);
  if (name === "now") {
    const halo = group.querySelector("path, polygon, ellipse").cloneNode();
    halo.setAttribute("class", "halo");
    group.prepend(halo);
  }
  lit.push([group, name]);
};
const darken = () => {
  for (const [group, name] of lit) {
    group.classList.remove(name);
    if (name === "now") group.querySelector(".halo")?.remove();
  }
  lit = [];
};
const ofTarget = (target) => {  // the boxes that stand for a value
  const { operation } = values[target];
  return operation === null ? data.ghosts[target] ?? [] : [data.boxes[operation]];
};
const show = (event) => {
  darken();
  happen(event.number);
  const { operation } = event;
  const main = operation === undefined ? null : data.boxes[operation];
  if (event.kind === "gradient" || event.kind === "carried" || event.kind === "stacked") {
    for (const id of ofTarget(event.target)) light(id, "out");
    for (const k of event.operations ?? []) light(data.boxes[k], "in");
  } else if (event.kind === "contribution") {
    const line = data.lines[`${operation},${event.input}`];
    light(main, "now");
    light(line, "out");
    light(data.tails[line] ?? "", "out");
  } else if (main) {
    light(main, "now");
    const inputs = operations[operation].inputs.length;
    for (let k = 0; k < inputs && event.kind === "forward"; k++) {
      const line = data.lines[`${operation},${k}`];
      light(line, "in");
      light(data.tails[line] ?? "", "in");
    }
    for (const line of data.leaving[operation] ?? []) {
      light(line, event.kind === "forward" ? "out" : "in");
    }
  }
};

// ------------------------------------------------------------- the camera
const look = () => {
  if (!svg) return;
  svg.style.transform = `translate(${view.x}px,${view.y}px) scale(${view.zoom})`;
  stage.dataset.zoom = view.zoom.toFixed(3);
};
const glide = (smooth) => {
  svg?.classList.toggle("gliding", smooth && !calm.matches);
  look();
};
const fit = () => {
  const { width, height } = room;
  view.zoom = Math.min((width - 24) / shape.width, (height - 24) / shape.height, 1.2);
  view.x = (width - shape.width * view.zoom) / 2;
  view.y = (height - shape.height * view.zoom) / 2;
  glide(true);
};
const zoomAt = (x, y, factor) => {
  const zoom = Math.min(6, Math.max(0.03, view.zoom * factor));
  view.x = x - (x - view.x) * zoom / view.zoom;
  view.y = y - (y - view.y) * zoom / view.zoom;
  view.zoom = zoom;
  glide(false);
};
const zoomMiddle = (factor) => {
  const { width, height } = room;
  zoomAt(width / 2, height / 2, factor);
};
const union = (a, b) => {
  const x = Math.min(a.x, b.x), y = Math.min(a.y, b.y);
  return { x, y, width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y };
};
// Bring what is lit into the middle part of the stage, and no further than needed.
const follow = (smooth) => {
  if (!svg || !lit.length) return;
  const { width, height } = room;
  const across = width / view.zoom * 0.8, down = height / view.zoom * 0.8;
  const boxes = lit.filter(([group]) => group.classList.contains("node"))
    .sort(([, a], [, b]) => (b === "now") - (a === "now")).map(([group]) => group.id);
  let area = null;
  for (const id of boxes) {
    const wider = area ? union(area, areaOf(id)) : areaOf(id);
    if (!area || (wider.width < across && wider.height < down)) area = wider;
  }
  if (!area) return;
  const move = (at, size, start, length) => {
    const from = start * view.zoom + at, to = (start + length) * view.zoom + at;
    const edge = size * 0.14;
    if (to - from > size - 2 * edge) {  // larger than the stage: as little as possible
      if (from > size / 2) return at - (from - size / 2);
      if (to < size / 2) return at + (size / 2 - to);
      return at;
    }
    if (from >= edge && to <= size - edge) return at;
    return size / 2 - (start + length / 2) * view.zoom;
  };
  const within = (at, size, length) => length * view.zoom < size - 24
    ? (size - length * view.zoom) / 2
    : Math.min(12, Math.max(size - 12 - length * view.zoom, at));
  view.x = within(move(view.x, width, area.x, area.width), width, shape.width);
  view.y = within(move(view.y, height, area.y, area.height), height, shape.height);
  glide(smooth);
};
const firstView = () => {  // one time step fits the stage, and is large enough to read
  if (!svg) return;
  const { width, height } = room;
  const tile = svg.querySelector("g.step")?.getBBox() ?? svg.getBBox();
  const wanted = Math.min((height - 30) / (tile.height * 4 / 3),
    (width - 30) / (tile.width * 4 / 3));
  const whole = Math.min((width - 24) / shape.width, (height - 24) / shape.height);
  view.zoom = Math.max(whole, Math.min(1.1, Math.max(0.62, wanted)));
  view.x = 12;
  view.y = (height - shape.height * view.zoom) / 2;
  glide(false);
};

// ------------------------------------------------------------- pointer
const pointers = new Map();
let moved = 0;
stage.addEventListener("wheel", (event) => {
  if (!svg) return;
  event.preventDefault();
  const area = stage.getBoundingClientRect();
  zoomAt(event.clientX - area.left, event.clientY - area.top,
    Math.exp(-event.deltaY * 0.0015));
}, { passive: false });
stage.addEventListener("pointerdown", (event) => {
  if (event.button || event.target.closest("button")) return;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = 0;
});
const spread = () => {
  const [[ax, ay], [bx, by]] = pointers.values();
  return { size: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
};
window.addEventListener("pointermove", (event) => {
  if (!pointers.has(event.pointerId)) return;
  const [x, y] = pointers.get(event.pointerId);
  const before = pointers.size === 2 ? spread() : null;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved += Math.hypot(event.clientX - x, event.clientY - y);
  if (before) {
    const after = spread(), area = stage.getBoundingClientRect();
    zoomAt(after.x - area.left, after.y - area.top, after.size / (before.size || 1));
  } else if (moved > 4) {
    view.x += event.clientX - x;
    view.y += event.clientY - y;
    stage.classList.add("dragged");
    glide(false);
  }
});
for (const name of ["pointerup", "pointercancel"]) {
  window.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    stage.classList.remove("dragged");
  });
}
