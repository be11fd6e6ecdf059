// Formulas typeset: the trees of formulas.py as MathML, with symbols or with numbers.
const MATH = "http://www.w3.org/1998/Math/MathML";
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
const mathSymbol = ([base, sub, sup]) => {
  const isNumber = /^[−-]?[\d.]+(e-?\d+)?$/.test(base) && !sub;
  let main;
  const names = base.split("_");
  if (isNumber) main = mathNumber(Number(base.replace("−", "-")));
  else if (names.length === 2 && names[0] && names[1] && !sub) {
    main = math("msub", math("mi", names[0]), math("mi", names[1]));
  } else main = math("mi", base);
  const below = sub && math("mtext", sub);
  const above = sup && math("mtext", sup.replace("rev", "←"));
  if (below && above) return math("msubsup", main, below, above);
  if (below) return math("msub", main, below);
  return above ? math("msup", main, above) : main;
};
const mathGradient = (symbol) => math("mfrac", mrow(mo("∂"), math("mi", "L")),
  mrow(mo("∂"), mathSymbol(symbol)));

const upright = (word) => {
  const element = math("mi", word);
  element.setAttribute("mathvariant", "normal");
  return element;
};
// A superscript, which stands over the subscript where there is one.
const raised = (base, above) => base.localName === "msub"
  ? math("msubsup", ...base.childNodes, above) : math("msup", base, above);

const SIGNS = { add: "+", sub: "−", mul: "·", div: "/", less: "<", less_equal: "≤",
  greater: ">", greater_equal: "≥", equal: "=", not_equal: "≠" };
const BINDING = { add: 2, sub: 2, negative: 2, sum: 2, product: 2, mul: 3, div: 9,
  matmul: 4, power: 5, T: 5, exp: 5, if: 0, where: 0, index: 6, call: 8 };
const NAMES = { sigmoid: "σ", log: "ln", maximum: "max", minimum: "min" };

// words: letter -> [element maker, how tightly it binds]
const typeset = (tree, words) => {
  const bind = (part) => {
    if (typeof part === "string") return words[part]?.[1] ?? 9;
    if (typeof part === "number") return part < 0 ? 2 : 9;
    return SIGNS[part[0]] && BINDING[part[0]] === undefined ? 1 : BINDING[part[0]] ?? 9;
  };
  const tied = (part, least) => bind(part) >= least ? made(part)
    : mrow(mo("("), made(part), mo(")"));
  const commas = (parts) => parts.flatMap((part, k) =>
    k ? [mo(","), made(part)] : [made(part)]);
  const made = (part) => {
    if (typeof part === "string") return words[part] ? words[part][0]()
      : math(part === "⋯" ? "mo" : "mi", part);
    if (typeof part === "number") return mathNumber(part);
    const [word, a, b, c] = part;
    switch (word) {
      case "div": return math("mfrac", made(a), made(b));
      case "negative": return mrow(mo("−"), tied(a, 3));
      case "matmul": return mrow(tied(a, 4), math("mspace"), tied(b, 5));
      case "power": return raised(tied(a, 6), made(b));
      case "T": return raised(tied(a, 6), upright("T"));
      case "exp": return math("msup", math("mi", "e"), made(a));
      case "sqrt": return math("msqrt", made(a));
      case "absolute": return mrow(mo("|"), made(a), mo("|"));
      case "norm": return mrow(mo("‖"), made(a), mo("‖"));
      case "list": return mrow(mo("["), ...commas(part.slice(1)), mo("]"));
      case "index": return mrow(tied(a, 6), math("mtext", `[${b}]`));
      case "sum": case "product": {
        const sign = mo(word === "sum" ? "∑" : "∏");
        const over = b && (/^[\d, ]+$/.test(b) ? `axis ${b}` : b);
        return mrow(over ? math("munder", sign, math("mtext", over)) : sign, tied(a, 3));
      }
      case "if": case "where": return mrow(mo("{"), math("mtable",
        math("mtr", math("mtd", made(b)), math("mtd", math("mtext", "if "), made(a))),
        math("mtr", math("mtd", made(c)), math("mtd", math("mtext", "else")))));
      case "call": return a.includes(" ")
        ? mrow(math("mtext", `${a} `), ...commas(part.slice(2)))
        : mrow(math("mi", a), mo("("), ...commas(part.slice(2)), mo(")"));
      default:
    }
    if (SIGNS[word]) {
      const least = BINDING[word] ?? 2;
      return mrow(tied(a, least), mo(SIGNS[word]), tied(b, least + (word === "sub")));
    }
    return mrow(math("mi", NAMES[word] ?? word), mo("("), ...commas(part.slice(1)),
      mo(")"));
  };
  return made(tree);
};
const lettersIn = (tree, found = new Set()) => {
  const todo = [tree];
  while (todo.length) {
    const part = todo.pop();
    if (typeof part === "string") found.add(part);
    else if (Array.isArray(part)) {
      const from = part[0] === "call" ? 2 : 1;
      const to = ["index", "sum", "product"].includes(part[0]) ? 2 : undefined;
      todo.push(...part.slice(from, to));
    }
  }
  return found;
};

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
const numberWord = (x) => [() => mathNumber(x), x < 0 || Object.is(x, -0) ? 2 : 9];
const joined = (terms, count) => {
  const parts = terms.flatMap((term, k) => k ? [mo("+"), term] : [term]);
  if (count > TERMS) {
    parts.push(mo("+"), mrow(mo("⋯"), math("mtext", ` (${count} terms)`)));
  }
  const sum = mrow(...parts);
  sum.setAttribute("class", "sum");
  return sum;
};
// The right side with the numbers of the entry `at`, or null: see worked_numbers.py.
const worked = (tree, env, at, shape, full) => {
  if (tree[0] === "sum" && Array.isArray(tree)) {
    if (hasWord(tree[1], new Set([...MOVED, "matmul", "sum"]))) return null;
    const over = tree[1] === "x" ? env.x?.shape : full;
    const found = over && summedPlaces(at, shape, over);
    const terms = found?.slice(0, TERMS).map((place) =>
      worked(tree[1], env, place, over, over));
    if (!terms || terms.some((term) => !term)) return null;
    return joined(terms.map((term) => term.textContent.startsWith("−")
      ? mrow(mo("("), term, mo(")")) : term), found.length);
  }
  if (tree[0] === "div" && tree[1][0] === "sum" && Array.isArray(tree)) {
    const total = worked(tree[1], env, at, shape, full);
    return total && math("mfrac", total, mathNumber(tree[2]));
  }
  if (tree[0] === "matmul" && Array.isArray(tree)) {
    const sides = tree.slice(1).map((part) => {
      const turned = part[0] === "T" && Array.isArray(part);
      return { array: env[turned ? part[1] : part], turned };
    });
    if (at.length !== 2 || sides.some(({ array }) =>
      !array?.numbers || array.shape.length !== 2)) return null;
    const get = ({ array, turned }, row, column) => Number(array.numbers[
      turned ? column * array.shape[1] + row : row * array.shape[1] + column]);
    const count = sides[0].array.shape[sides[0].turned ? 0 : 1];
    const terms = [];
    for (let k = 0; k < Math.min(count, TERMS); k++) {
      terms.push(typeset(["mul", "p", "q"], { p: numberWord(get(sides[0], at[0], k)),
        q: numberWord(get(sides[1], k, at[1])) }));
    }
    return joined(terms, count);
  }
  if (hasWord(tree, new Set([...MOVED, "matmul", "sum"]))) return null;
  const words = {};
  for (const letter of lettersIn(tree)) {
    const entry = entryOf(env[letter], at);
    if (entry === null) return null;
    words[letter] = numberWord(entry);
  }
  return typeset(tree, words);
};
