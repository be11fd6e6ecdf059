// What happens at the current event: in words, as a formula, with its numbers.
const panel = byId("mg-panel");
let chosen = null;  // the entry of the result that is worked out, as a place

const wordsOf = (operation) => {
  const { letters, inputs, outputs } = operations[operation];
  const words = {};
  letters.forEach((letter, k) => {
    const [base, sub] = values[inputs[k]].symbol;
    words[letter] = [() => mathSymbol(inputs[k]), !sub && base.startsWith("-")];
  });
  words.y = [() => mathSymbol(outputs[0]), false];
  words.g = [() => mathGradient(outputs[0]), false];
  outputs.forEach((k, n) => { words[`g${n}`] = [() => mathGradient(k), false]; });
  return words;
};
const several = (numbers, made) => {
  const shown = numbers.length > 4
    ? [made(numbers[0]), mo("⋯"), made(numbers.at(-1))] : numbers.map(made);
  return shown.flatMap((part, k) => (k ? [mo(","), part] : [part]));
};
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const equation = (...content) => {
  const element = math("math", mrow(...content));
  element.setAttribute("display", "block");
  return element;
};
const inline = (...content) => math("math", mrow(...content));

// What is needed to work out an entry of what a rule gave.
const workable = ({ operation, input }) => {
  const { inputs, outputs, rules, letters } = operations[operation];
  const at = incomingAt.get(operation);
  const gradients = at === undefined ? [] : events[at].gradients.map(arrayOf);
  const env = { y: valueArray(outputs[0]), g: gradients[0] };
  letters.forEach((letter, k) => { env[letter] = valueArray(inputs[k]); });
  return { right: rules[input], env, full: env.y.shape };
};
const sumOfRules = (gifts) => {
  if (!gifts.length) return [mo("∑"), math("mtext", "what its readers gave")];
  const parts = gifts.slice(0, 3).flatMap((gift, k) => {
    const rule = operations[gift.operation].rules[gift.input];
    const bare = rule === null || (Array.isArray(rule.tree)
      && ["add", "sub", "negative", "if", "where", "sum"].includes(rule.tree[0]));
    const term = rule === null ? mo("?") : typeset(rule, wordsOf(gift.operation));
    const made = bare && gifts.length > 1 ? mrow(mo("("), term, mo(")")) : term;
    return k ? [mo("+"), made] : [made];
  });
  return gifts.length > 3 ? [...parts, mo("+"), mo("⋯")] : parts;
};

// Everything that the panel shows of an event: words, formula, arrays, what is worked out
const tellings = {
  forward(event) {
    const { name, inputs, outputs, formula, letters } = operations[event.operation];
    const env = { y: valueArray(outputs[0]) };
    letters.forEach((letter, k) => { env[letter] = valueArray(inputs[k]); });
    return {
      words: [`${name} makes `, inline(...several(outputs, mathSymbol))],
      formula: [...several(outputs, mathSymbol), mo("="),
        typeset(formula, wordsOf(event.operation))],
      right: formula, env, result: env.y, full: env.y.shape,
      cards: [...inputs.map((k) => [inline(mathSymbol(k)), "goes in", valueArray(k), "in"]),
        ...outputs.slice(0, 6).map((k) =>
          [inline(mathSymbol(k)), "comes out", valueArray(k), "out"])],
    };
  },
  incoming(event) {
    const { outputs } = operations[event.operation];
    const given = event.gradients.map(arrayOf);
    const one = outputs.length === 1;
    const gifts = one ? (byTarget.get(outputs[0]) ?? []) : [];
    const start = one && !gifts.length;
    const terms = gifts.filter(({ kind }) => kind === "contribution");
    const cards = terms.length > 1 && terms.length <= 4 ? terms.map((gift) =>
      [`from ${operations[gift.operation].name}`, "contribution", arrayOf(gift.value),
        "in"]) : [];
    outputs.slice(0, 6).forEach((k, n) => {
      if (given[n]) cards.push([inline(mathGradient(k)), "complete", given[n], "out"]);
    });
    return {
      words: start ? ["backward starts here: ", inline(mathGradient(outputs[0]))]
        : ["the gradient of ", inline(...several(outputs, mathSymbol)), " is complete",
          one ? `: ${many(values[outputs[0]].uses, "contribution")}` : ""],
      formula: [...several(outputs, mathGradient), mo("="),
        ...(start ? [math("mn", "1")] : sumOfRules(terms))],
      terms: one ? terms.map(({ value }) => arrayOf(value)) : [],
      ...(one && gifts.length === 1 && terms.length === 1 ? workable(terms[0]) : {}),
      result: given.find(Boolean), cards,
      next: "Next: its rule computes the gradient of each input.",
    };
  },
  contribution(event) {
    const { name, inputs, outputs, letters } = operations[event.operation];
    const { right: rule, env, full } = workable(event);
    const used = rule === null ? new Set() : lettersOf(rule);
    const result = arrayOf(event.value);
    const { uses } = values[event.target];
    const sum = running(event);
    const cards = env.g ? [[inline(mathGradient(outputs[0])), "incoming gradient",
      env.g, "in"]] : [];
    letters.forEach((letter, k) => {
      if (used.has(letter)) {
        cards.push([inline(mathSymbol(inputs[k])), "from the forward pass", env[letter], "in"]);
      }
    });
    if (used.has("y")) {
      cards.push([inline(mathSymbol(outputs[0])), "from the forward pass", env.y, "in"]);
    }
    cards.push([inline(mathGradient(event.target)), "contribution", result, "out"]);
    if (uses > 1) {
      cards.push([inline(mathGradient(event.target)),
        `sum after ${event.index} of ${uses}`, sum, "sum"]);
    }
    return {
      words: [`the rule of ${name} gives to `, inline(mathSymbol(event.target))],
      count: [event.index, uses],
      formula: [mathGradient(event.target), mo("+="),
        rule === null ? mo("?") : typeset(rule, wordsOf(event.operation))],
      right: rule, env, result, full, cards,
      next: event.aside ? "This is only shown: the engine collects all uses of the weight "
        + "and sums them in one product at the end (a stacked sum)." : "",
    };
  },
  stacked(event) {
    const uses = event.operations.length;
    const result = arrayOf(event.value);
    const gifts = byTarget.get(event.target).filter((gift) => gift.aside
      && event.operations.includes(gift.operation));
    const one = gifts.reduce((sum, gift) => plus(sum, arrayOf(gift.value)), null);
    let off = 0;
    if (one?.numbers && result.numbers) {
      for (let k = 0; k < result.size; k++) {
        off = Math.max(off, Math.abs(result.numbers[k] - one.numbers[k]));
      }
    }
    const first = operations[event.operations[0]].inputs[0];
    return {
      words: [`stacked sum: ${many(uses, "use")} of `, inline(mathSymbol(event.target)),
        " in one product"],
      formula: [mathGradient(event.target), mo("+="), mo("∑"),
        math("msup", math("mi", values[first].symbol[0]), upright("T")),
        math("mspace"), math("mi", "g"), mo("="),
        math("msup", math("mtext", `[rows of all ${values[first].symbol[0]}]`),
          upright("T")), math("mspace"), math("mtext", "[rows of all g]")],
      result,
      cards: [[inline(mathGradient(event.target)), "stacked sum", result, "out"]],
      next: gifts.length === uses ? `Adding the uses one by one gives the same, up to `
        + `rounding: the largest difference is ${shortNumber(off)}.` : "",
    };
  },
  carried(event) {
    const result = arrayOf(event.value);
    return {
      words: [`${many(event.count, "contribution")} to `, inline(mathSymbol(event.target)),
        " from operations that are not shown"],
      formula: [mathGradient(event.target), math("mtext", " so far")], result,
      cards: [[inline(mathGradient(event.target)), "sum so far", result, "sum"]],
    };
  },
  gradient(event) {
    const result = arrayOf(event.value);
    return {
      words: ["the gradient of ", inline(mathSymbol(event.target)), " is complete"],
      formula: [mathGradient(event.target)], result,
      cards: [[inline(mathGradient(event.target)), "complete", result, "out"]],
      next: "This is what backward() adds to its .grad.",
    };
  },
};

const crumbs = (event) => {
  const { side } = places[event.number];
  const outside = event.operation === undefined || event.kind === "stacked";
  const scope = outside ? [] : operations[event.operation].scope;
  return [side, ...scope.map(([kind, name, index]) =>
    kind === "step" ? `step ${index}` : name)];
};
const sourceLine = (event) => {
  const line = event.operation !== undefined && operations[event.operation].line;
  if (!line) return null;
  const [file, number, text, first, last] = line;
  const code = el("code", "", text.slice(0, first), el("mark", "", text.slice(first, last)),
    text.slice(last));
  return el("p", "source", el("span", "file", `${file}:${number}`), code);
};

// A gate's or state's name is a button: its values over time, of the entry at hand.
const nameOf = (event, symbol, array) => {
  const outputs = event.operation === undefined ? [] : [
    ...operations[event.operation].outputs, ...operations[event.operation].inputs];
  const k = outputs.find((n) => valueArray(n) === array && seriesOf(n));
  if (k === undefined) return el("span", "symbol", symbol);
  const button = el("button", "symbol over", symbol);
  button.type = "button";
  button.title = `${symbolText(values[k].symbol)} over time`;
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => {
    const entry = chosen && chosen.length === array.shape.length
      ? flat(chosen, array.shape) : 0;
    showSeries(seriesOf(k), entry < array.size ? entry : 0, places[event.number].step);
  });
  return button;
};

let current = null;
const fill = (event) => {
  current = tellings[event.kind](event);
  const { words, formula, cards, count, next, result } = current;
  const rank = result?.shape.length ?? 0;
  if (!chosen || chosen.length !== rank
      || chosen.some((k, axis) => k >= result.shape[axis])) chosen = Array(rank).fill(0);
  const side = places[event.number].side;
  const trail = el("p", "crumbs", ...crumbs(event).map((word, k) =>
    el("span", k ? "" : `side ${side}`, word)));
  const title = el("h2", "", ...words);
  if (count && count[1] > 1) {
    title.append(el("span", "count", `contribution ${count[0]} of ${count[1]}`));
  }
  const numbers = el("div", "numbers");
  numbers.id = "mg-numbers";
  const list = el("div", "cards");
  for (const [symbol, role, array, kind] of cards) {
    const card = el("figure", `card ${kind}`, el("figcaption", "",
      nameOf(event, symbol, array), el("span", "role", role),
      el("span", "shape", shapeText(array.shape))));
    const body = arrayView(array, (k, click) => point(array, k, click));
    body.array = array;
    card.append(body);
    list.append(card);
  }
  const content = [trail, title, el("div", "formula", equation(...formula)), numbers, list];
  if (next) content.push(el("p", "next", next));
  const source = sourceLine(event);
  if (source) content.push(source);
  panel.replaceChildren(...content);
  workOut();
};

// The formula with the numbers of the chosen entry; the same entry marked everywhere.
const workOut = () => {
  const { right: formula, env, result, full, terms } = current;
  const target = byId("mg-numbers");
  target.replaceChildren();
  if (!result?.numbers || !result.size) return;
  const k = flat(chosen, result.shape);
  let right = null;
  if (formula) {
    right = worked(formula, env, chosen, result.shape, full);
  } else if (terms?.length > 1) {
    const entries = terms.map((array) => entryOf(array, chosen));
    if (!entries.includes(null)) {
      right = joined(entries.slice(0, TERMS).map(signed), entries.length);
    }
  }
  if (right) {
    const pieces = right.classList.contains("sum") ? [...right.childNodes] : [right];
    target.append(inline(mathNumber(Number(result.numbers[k])), mo("="), pieces[0]));
    for (let n = 1; n < pieces.length; n += 2) {  // a long sum may go on below
      pieces[n].setAttribute("form", "infix");
      target.append(inline(pieces[n], pieces[n + 1]));
    }
    if (result.size > 1) {
      target.append(el("p", "entry-name", `entry ${placeText(k, result.shape)}`));
    }
  }
  for (const grid of panel.querySelectorAll(".table")) {
    grid.querySelector(".at")?.classList.remove("at");
    const { array } = grid.parentElement;
    const lead = chosen.length - array.shape.length;
    if (lead < 0 || !right || (formula?.tree[0] === "matmul" && array !== result
      && array.shape.join() !== result.shape.join())) continue;
    const place = array.shape.map((n, axis) => (n === 1 ? 0 : chosen[axis + lead]));
    if (place.some((n, axis) => n >= array.shape[axis])) continue;
    grid.children[flat(place, array.shape)]?.classList.add("at");
  }
};
const point = (array, k) => {
  const { result } = current;
  if (!result?.numbers) return;
  const place = unflat(k, array.shape);
  const lead = result.shape.length - array.shape.length;
  if (lead < 0) return;
  const wanted = result.shape.map((n, axis) =>
    axis < lead ? chosen[axis] : array.shape[axis - lead] === 1 && n !== 1 ? chosen[axis]
      : place[axis - lead]);
  if (wanted.some((n, axis) => n >= result.shape[axis])) return;
  if (wanted.join() === chosen.join()) return;
  chosen = wanted;
  workOut();
};
const nextEntry = (by) => {
  const { result } = current;
  if (!result?.size) return;
  const k = (flat(chosen, result.shape) + by + result.size) % result.size;
  chosen = unflat(k, result.shape);
  workOut();
};
