// Formulas with their symbols, or with numbers. They are typeset already, in the page's
// templates, by formula_printers.py: a formula for each tree, a symbol for each value.
const MATH = "http://www.w3.org/1998/Math/MathML";
const symbols = document.getElementById("mg-symbols").content.children;
const typesetFormulas = document.getElementById("mg-formulas").content.children;
const formulas = data.steps.formulas.map((tree, k) =>
  ({ tree, made: typesetFormulas[k].firstElementChild }));
for (const operation of operations) {
  operation.formula = formulas[operation.formula];
  operation.rules = operation.rules.map((k) => (k === null ? null : formulas[k]));
}
const math = (tag, ...parts) => {
  const element = document.createElementNS(MATH, tag);
  element.append(...parts);
  return element;
};
const mo = (sign) => math("mo", sign);
const mrow = (...parts) => math("mrow", ...parts);
const NUMBER = /^([−-]?)([\d.]+|∞|NaN)(?:e(-?\d+))?$/;

const shortNumber = (x) => {  // as words.number: at most three digits
  if (Number.isNaN(x)) return "NaN";
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const text = Number(x.toPrecision(3));
  const size = Math.abs(text);
  const shown = size < 1e-4 || size >= 1e6
    ? x.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e") : String(text);
  return shown.replace(/^-/, "−");
};
const mathNumber = (x) => {
  const [, sign, digits, power] = NUMBER.exec(shortNumber(x));
  const parts = sign ? [mo("−"), math("mn", digits)] : [math("mn", digits)];
  if (power !== undefined) {
    const exponent = power.startsWith("-")
      ? mrow(mo("−"), math("mn", power.slice(1))) : math("mn", power);
    parts.push(mo("·"), math("msup", math("mn", "10"), exponent));
  }
  return parts.length > 1 ? mrow(...parts) : parts[0];
};
const signed = (x) => (x < 0 ? mrow(mo("("), mathNumber(x), mo(")")) : mathNumber(x));
const mathSymbol = (k) => symbols[k].firstElementChild.cloneNode(true);
const mathGradient = (k) => math("mfrac", mrow(mo("∂"), math("mi", "L")),
  mrow(mo("∂"), mathSymbol(k)));
const upright = (word) => {
  const element = math("mi", word);
  element.setAttribute("mathvariant", "normal");
  return element;
};

// A formula {tree, made} with elements for its letters: {letter: [maker, negative?]}.
// Python put brackets around letters wherever a negative number needs them.
const typeset = ({ made }, words) => {
  const whole = mrow(made.cloneNode(true));
  for (const letter of whole.querySelectorAll(".letter")) {
    const [element, negative] = words[letter.textContent] ?? [() => mo("?"), true];
    const around = letter.parentNode;
    (around.matches(".tied") && !negative ? around : letter).replaceWith(element());
  }
  for (const power of whole.querySelectorAll("msup")) {  // above the subscript
    const [base, above] = power.children;
    if (base.localName === "msub") {
      power.replaceWith(math("msubsup", ...base.children, above));
    }
  }
  return whole.firstElementChild;
};
const lettersOf = ({ made }) => new Set([made, ...made.querySelectorAll(".letter")]
  .filter((part) => part.matches(".letter")).map((part) => part.textContent));

// ------------------------------------------------------------- with numbers
const MOVED = new Set(["call", "index", "list", "norm", "product", "T"]);
const TERMS = 4;
const hasWord = (tree, words) => Array.isArray(tree)
  && (words.has(tree[0]) || tree.slice(1).some((part) => hasWord(part, words)));
const flat = (place, shape) => place.reduce((sum, k, axis) => sum * shape[axis] + k, 0);
const unflat = (k, shape) => {
  const place = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(k % shape[axis]);
    k = Math.floor(k / shape[axis]);
  }
  return place;
};
const entryOf = (array, at) => {  // the entry that broadcasting puts there
  if (!array?.numbers || array.shape.length > at.length) return null;
  const lead = at.length - array.shape.length;
  const place = array.shape.map((n, k) => n === 1 ? 0 : at[k + lead]);
  if (place.some((k, axis) => k >= array.shape[axis])) return null;
  return Number(array.numbers[flat(place, array.shape)]);
};
const summedPlaces = (at, shape, over) => {
  const fixed = new Map();
  if (shape.length === over.length) {
    shape.forEach((n, k) => { if (n !== 1 || over[k] === 1) fixed.set(k, at[k]); });
  } else if (shape.length) {
    const lead = over.length - shape.length;
    if (shape.some((n, k) => n !== over[k + lead])) return null;
    shape.forEach((_, k) => fixed.set(k + lead, at[k]));
  }
  let found = [[]];
  for (let k = 0; k < over.length; k++) {
    const choices = fixed.has(k) ? [fixed.get(k)] : [...Array(over[k]).keys()];
    found = found.flatMap((place) => choices.map((c) => [...place, c]));
    if (found.length > 20000) return null;
  }
  return found;
};
const joined = (terms, count) => {
  const parts = terms.flatMap((term, k) => k ? [mo("+"), term] : [term]);
  if (count > TERMS) {
    parts.push(mo("+"), mrow(mo("⋯"), math("mtext", ` (${count} terms)`)));
  }
  const sum = mrow(...parts);
  sum.setAttribute("class", "sum");
  return sum;
};
const innerOf = ({ made }) => {  // what a sum adds up, without brackets around it
  const part = made.lastElementChild;
  return part.matches(".tied") ? part.children[1] : part;
};
// The right side with the numbers of the entry `at`, or null: see worked_numbers.py.
const worked = (formula, env, at, shape, full) => {
  const { tree, made } = formula;
  const is = (part, word) => Array.isArray(part) && part[0] === word;
  if (is(tree, "sum")) {
    const inner = { tree: tree[1], made: innerOf(formula) };
    if (hasWord(tree[1], new Set([...MOVED, "matmul", "sum"]))) return null;
    const over = tree[1] === "x" ? env.x?.shape : full;
    const found = over && summedPlaces(at, shape, over);
    const terms = found?.slice(0, TERMS).map((place) =>
      worked(inner, env, place, over, over));
    if (!terms || terms.some((term) => !term)) return null;
    return joined(terms.map((term) => term.textContent.startsWith("−")
      ? mrow(mo("("), term, mo(")")) : term), found.length);
  }
  if (is(tree, "div") && is(tree[1], "sum")) {
    const inner = { tree: tree[1], made: made.firstElementChild };
    const total = worked(inner, env, at, shape, full);
    return total && math("mfrac", total, mathNumber(tree[2]));
  }
  if (is(tree, "matmul")) {
    const sides = tree.slice(1).map((part) => {
      const turned = is(part, "T");
      return { array: env[turned ? part[1] : part], turned };
    });
    if (at.length !== 2 || sides.some(({ array }) =>
      !array?.numbers || array.shape.length !== 2)) return null;
    const get = ({ array, turned }, row, column) => Number(array.numbers[
      turned ? column * array.shape[1] + row : row * array.shape[1] + column]);
    const count = sides[0].array.shape[sides[0].turned ? 0 : 1];
    const terms = [];
    for (let k = 0; k < Math.min(count, TERMS); k++) {
      terms.push(mrow(signed(get(sides[0], at[0], k)), mo("·"),
        signed(get(sides[1], k, at[1]))));
    }
    return joined(terms, count);
  }
  if (hasWord(tree, new Set([...MOVED, "matmul", "sum"]))) return null;
  const words = {};
  for (const letter of lettersOf(formula)) {
    const entry = entryOf(env[letter], at);
    if (entry === null) return null;
    words[letter] = [() => mathNumber(entry), entry < 0];
  }
  return typeset(formula, words);
};
