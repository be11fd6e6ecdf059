// A heat map: a canvas with one pixel per number, its columns' names below, and the
// number that is pointed at.
const columnNames = (grid, canvas) => {
  const wide = parseFloat(canvas.style.width) / grid.columns;  // of a column, pixels
  const names = Array.from({ length: grid.columns }, (_, k) => grid.column(k));
  const every = Math.ceil((7 * Math.max(...names.map((name) => name.length)) + 6) / wide);
  const row = el("p", "columns", ...names.filter((_, k) => k % every === 0)
    .map((name, k, shown) => {
      const cell = el("span", "", name);
      cell.style.flexGrow = String(Math.min(every, grid.columns - k * every));
      if (every > 1) cell.style.textAlign = "left";
      return cell;
    }));
  row.style.width = canvas.style.width;
  row.setAttribute("aria-hidden", "true");
  return row;
};
const css = (name) => getComputedStyle(document.documentElement)
  .getPropertyValue(name).trim();
let palette = null;
const shade = (part) => {
  palette ??= ["--negative", "--zero", "--positive", "--alarm"].map((name) =>
    css(name).match(/[\d.]+/g).slice(0, 3).map(Number));
  if (!Number.isFinite(part)) return palette[3];
  const end = palette[part < 0 ? 0 : 2];
  const size = Math.min(1, Math.abs(part)) ** 0.7;
  return palette[1].map((zero, k) => Math.round(zero + (end[k] - zero) * size));
};
const heatMap = (grid, scale, width, at, readout, move) => {
  const { rows, columns } = grid;
  const canvas = el("canvas");
  canvas.width = columns;
  canvas.height = rows;
  canvas.style.width = `${columns * Math.min(56, width / columns)}px`;
  canvas.style.height = `${rows * Math.min(28, 420 / rows)}px`;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `heat map, ${rows} rows and ${columns} columns: arrow `
    + "keys read out the numbers");
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(columns, rows);
  grid.numbers.forEach((x, k) => image.data.set([...shade(x / scale), 255], 4 * k));
  pen.putImageData(image, 0, 0);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / box.width * columns);
    const row = Math.floor((event.clientY - box.top) / box.height * rows);
    if (row >= 0 && row < rows && column >= 0 && column < columns) {
      move(row * columns + column);
    }
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (!(event.key in step) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = at === null ? 0 : at + step[event.key];
    if (next >= 0 && next < rows * columns) move(next);
  });
  readout.replaceChildren();
  if (at !== null && at < rows * columns) {
    const place = `${grid.row(Math.floor(at / columns))}, ${grid.column(at % columns)}: `;
    readout.append(el("span", "place", place), numberElement("b", grid.numbers[at]));
  } else {
    readout.append(`${rows} × ${columns} numbers, colours up to ±`, few(scale));
  }
  return canvas;
};
