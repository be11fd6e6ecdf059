// Arrays on the page: every entry of a small one, a heat map of a large one. Pointing at
// an entry (or moving to it by arrow keys) tells its number, and works the formula out.
const SMALL_COLUMNS = 8, SMALL_ROWS = 8, MOST_CELLS = 65536;
const el = (tag, className, ...parts) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...parts);
  return element;
};
const css = (name) => getComputedStyle(document.documentElement)
  .getPropertyValue(name).trim();
const rgb = (name) => css(name).match(/[\d.]+/g).slice(0, 3).map(Number);
const shapeText = (shape) => shape.length ? shape.join("×") : "a number";

let palette = null;  // the colours of negative, zero and positive entries
const shade = (part) => {
  palette ??= ["--negative", "--zero", "--positive", "--alarm"].map(rgb);
  if (!Number.isFinite(part)) return palette[3];
  const end = palette[part < 0 ? 0 : 2];
  const size = Math.min(1, Math.abs(part)) ** 0.7;
  return palette[1].map((zero, k) => Math.round(zero + (end[k] - zero) * size));
};
const scaleOf = ({ facts }) =>
  Math.max(Math.abs(facts.minimum), Math.abs(facts.maximum)) || 1;

// Rows and columns: the last axis across, all before it down.
const gridOf = (array) => {
  const columns = array.shape.length ? array.shape.at(-1) : 1;
  if (array.shape.length === 1 && columns > SMALL_COLUMNS && columns <= 64) {
    const across = Math.min(columns, SMALL_COLUMNS * 2);
    return { rows: Math.ceil(columns / across), columns: across };
  }
  return { rows: columns ? array.size / columns : 0, columns };
};
const placeText = (k, shape) => shape.length ? `[${unflat(k, shape).join(", ")}]` : "";
const exact = (x) => String(x).replace("-", "−").replace("Infinity", "∞");

// One array with its caption; `point(k)` is told which entry is pointed at.
const arrayView = (array, point) => {
  const view = el("div", "array");
  if (!array.numbers) {
    const { minimum, maximum, mean, norm, nans, infinities } = array.facts;
    view.append(el("p", "facts", `${array.size.toLocaleString("en")} entries: too many to `
      + `keep. From ${shortNumber(minimum)} to ${shortNumber(maximum)}, mean `
      + `${shortNumber(mean)}, norm ${shortNumber(norm)}`
      + (nans ? `, ${nans} NaN` : "") + (infinities ? `, ${infinities} infinite` : "")
      + `. A sample of ${array.sample.length}:`));
    const sample = record([array.sample.length], array.dtype, array.sample);
    view.append(heatMap(sample, () => {}));
    return view;
  }
  if (!array.size) { view.append(el("p", "facts", "empty")); return view; }
  const { rows, columns } = gridOf(array);
  view.append(rows <= SMALL_ROWS && columns <= SMALL_COLUMNS
    ? table(array, rows, columns, point) : heatMap(array, point));
  if (array.dtype !== "bool") view.append(range(array));
  return view;
};
// What the colours mean: the same size is the same strength, of either sign.
const range = (array) => {
  const most = shortNumber(scaleOf(array));
  return el("p", "range", `−${most}`, el("i"), most);
};
const table = (array, rows, columns, point) => {
  const grid = el("div", "table");
  grid.style.gridTemplateColumns = `repeat(${columns}, minmax(max-content, 1fr))`;
  const scale = scaleOf(array);
  for (let k = 0; k < array.size; k++) {
    const x = Number(array.numbers[k]);
    const cell = el("button", "entry", array.dtype === "bool" ? (x ? "true" : "false")
      : shortNumber(x));
    cell.type = "button";
    cell.tabIndex = -1;
    cell.title = `${placeText(k, array.shape)} ${exact(x)}`.trim();
    const [r, g, b] = shade(x / scale);
    cell.style.backgroundColor = `rgb(${r} ${g} ${b})`;
    cell.dataset.entry = k;
    cell.addEventListener("pointerenter", () => point(k));
    cell.addEventListener("click", () => point(k, true));
    grid.append(cell);
  }
  return grid;
};
const heatMap = (array, point) => {
  let { rows, columns } = gridOf(array);
  const box = el("div", "heat");
  const canvas = el("canvas");
  if (rows * columns > MOST_CELLS) rows = Math.floor(MOST_CELLS / columns) || 1;
  const across = Math.min(columns, MOST_CELLS);
  const size = Math.max(2, Math.min(14, Math.floor(360 / across)));
  canvas.width = across;
  canvas.height = rows;
  canvas.style.width = `min(100%, ${Math.max(60, across * size)}px)`;
  canvas.style.aspectRatio = `${across} / ${rows}`;
  canvas.style.maxHeight = "220px";
  const paint = () => {
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(across, rows);
    const scale = scaleOf(array);
    for (let k = 0; k < across * rows; k++) {
      const colour = k < array.size ? shade(Number(array.numbers[k]) / scale) : [0, 0, 0];
      image.data.set([...colour, k < array.size ? 255 : 0], 4 * k);
    }
    pen.putImageData(image, 0, 0);
  };
  paint();
  const told = el("output", "hover", `${shapeText(array.shape)} entries`);
  const at = (event) => {
    const area = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - area.left) / area.width * across);
    const row = Math.floor((event.clientY - area.top) / area.height * rows);
    const k = row * across + column;
    return k >= 0 && k < array.size && column >= 0 && column < across ? k : null;
  };
  const tell = (event, click) => {
    const k = at(event);
    if (k === null) return;
    told.textContent = `${placeText(k, array.shape)} = ${exact(Number(array.numbers[k]))}`;
    point(k, click);
  };
  canvas.addEventListener("pointermove", (event) => tell(event, false));
  canvas.addEventListener("click", (event) => tell(event, true));
  canvas.setAttribute("role", "img");
  const { minimum, maximum, norm } = array.facts;
  canvas.setAttribute("aria-label", `heat map, ${shapeText(array.shape)}, from `
    + `${shortNumber(minimum)} to ${shortNumber(maximum)}, norm ${shortNumber(norm)}`);
  box.append(canvas, told);
  return box;
};
