// The events and their arrays, as Python saved them: base64 to numbers, sums in order.
const data = JSON.parse(document.getElementById("mg-data").textContent);
const { operations, values, events, arrays } = data.steps;
values.forEach((value, k) => { value.number = k; });

const TYPES = { float64: Float64Array, float32: Float32Array, int8: Int8Array,
  int16: Int16Array, int32: Int32Array, uint8: Uint8Array, uint16: Uint16Array,
  uint32: Uint32Array, bool: Uint8Array, int64: BigInt64Array, uint64: BigUint64Array,
  complex64: Float32Array, complex128: Float64Array, float16: Uint16Array };

const half = (bits) => {  // float16, which not every browser knows
  const sign = bits >> 15 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
  if (power === 31) return rest ? NaN : sign * Infinity;
  return sign * (power ? 2 ** (power - 15) * (1 + rest / 1024) : 2 ** -24 * rest);
};
const unpacked = (text, dtype) => {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  const typed = new TYPES[dtype](bytes.buffer);
  if (dtype === "float16") return Float64Array.from(typed, half);
  if (dtype.endsWith("int64")) return Float64Array.from(typed, Number);
  if (dtype.startsWith("complex")) return typed.filter((_, k) => k % 2 === 0);
  return typed;
};
const fromHex = (text) => {  // Python's float.hex: the exact number
  const match = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]\d+)$/.exec(text);
  if (!match) return { nan: NaN, inf: Infinity, "-inf": -Infinity }[text] ?? NaN;
  let part = Number(match[2]);
  [...match[3]].forEach((digit, k) => { part += parseInt(digit, 16) / 16 ** (k + 1); });
  return (match[1] ? -1 : 1) * part * 2 ** Number(match[4]);
};

// A record: {shape, dtype, size, numbers or null, sample, facts}
const factsOf = (numbers) => {
  let low = Infinity, high = -Infinity, top = 0, sum = 0, nans = 0, infinities = 0;
  for (const x of numbers) {
    if (Number.isNaN(x)) { nans++; continue; }
    if (!Number.isFinite(x)) { infinities++; top = Infinity; continue; }
    if (x < low) low = x;
    if (x > high) high = x;
    sum += x;
    if (Math.abs(x) > top) top = Math.abs(x);
  }
  let squares = 0;
  if (top > 0 && top < Infinity) for (const x of numbers) squares += (x / top) ** 2;
  const count = numbers.length - nans - infinities;
  return { minimum: count ? low : 0, maximum: count ? high : 0,
    mean: count ? sum / count : 0, nans, infinities,
    norm: nans ? NaN : top === Infinity ? top : top * Math.sqrt(squares) };
};
const record = (shape, dtype, numbers) => {
  let facts = null;
  return { shape, dtype, numbers, sample: numbers, size: numbers.length,
    get facts() { return (facts ??= factsOf(numbers)); } };
};
const kept = new Map();
const arrayOf = (k) => {
  if (k === null || k === undefined) return null;
  if (!kept.has(k)) {
    const { shape, dtype, data: whole, sample, facts } = arrays[k];
    if (whole !== undefined) kept.set(k, record(shape, dtype, unpacked(whole, dtype)));
    else {
      const [minimum, maximum, mean, norm] = facts.slice(0, 4).map(fromHex);
      kept.set(k, { shape, dtype, numbers: null, sample: unpacked(sample, dtype),
        size: shape.reduce((a, b) => a * b, 1),
        facts: { minimum, maximum, mean, norm, nans: facts[4], infinities: facts[5] } });
    }
  }
  return kept.get(k);
};
const valueArray = (k) => arrayOf(values[k].array);

// ------------------------------------------------------------- sums
const byTarget = new Map();
const incomingAt = new Map();  // operation -> the event at which its gradient is complete
events.forEach((event, k) => {
  event.number = k;
  if (event.target !== undefined) {
    if (!byTarget.has(event.target)) byTarget.set(event.target, []);
    byTarget.get(event.target).push(event);
  }
  if (event.kind === "incoming") incomingAt.set(event.operation, k);
});
const plus = (total, other) => {
  if (!total) return other;
  if (!total.numbers || !other.numbers) return other;
  const round = total.dtype === "float32" ? Math.fround : (x) => x;
  const sum = new Float64Array(total.size);
  for (let k = 0; k < sum.length; k++) {
    sum[k] = round(total.numbers[k] + other.numbers[k]);
  }
  return record(total.shape, total.dtype, sum);
};
// The sum at an event's target after it, added as the engine adds (see stepper.py).
const running = (event) => {
  if (event.total !== undefined) return arrayOf(event.total);
  if (event.kind === "carried" || event.kind === "gradient") return arrayOf(event.value);
  const aside = Boolean(event.aside);
  let plain = null, product = null;
  for (const other of byTarget.get(event.target)) {
    if (other.number > event.number) break;
    const value = arrayOf(other.value);
    if (other.kind === "contribution") {
      if (Boolean(other.aside) === aside) plain = plus(plain, value);
    } else if (other.kind === "carried") plain = other.aside === aside ? value : plain;
    else if (aside) continue;
    else if (other.kind === "stacked") product = plus(product, value);
  }
  return product ? plus(plain, product) || product : plain;
};

// ------------------------------------------------------------- where events are
const level = (operation, kind) => {
  const { scope } = operations[operation];
  for (let k = scope.length - 1; k >= 0; k--) if (scope[k][0] === kind) return scope[k];
  return null;
};
const placeOf = (event) => {
  const side = event.kind === "forward" ? "forward" : "backward";
  if (event.operation === undefined || event.kind === "stacked") {
    return { side, loop: null, layer: null, step: null, gate: null };
  }
  return { side, loop: level(event.operation, "loop")?.[1] ?? null,
    layer: level(event.operation, "layer")?.[1] ?? null,
    step: level(event.operation, "step")?.[2] ?? null,
    gate: level(event.operation, "gate")?.[1] ?? null };
};
const places = events.map(placeOf);
// The stretch of a kind that an event belongs to, or null (as navigation.py has it).
const stretch = (k, unit) => {
  const { side, loop, layer, step, gate } = places[k];
  if (unit === "pass") return side;
  if (unit === "step") return JSON.stringify([side, loop, layer, step]);
  return gate === null ? null : JSON.stringify([side, loop, layer, step, gate]);
};
const seek = (from, unit, back, target) => {
  const by = back ? -1 : 1;
  const inside = (k) => k >= 0 && k < events.length;
  if (unit === "event") return inside(from + by) ? from + by : null;
  if (unit === "contribution") {
    for (let k = from + by; inside(k); k += by) {
      const { kind, target: to } = events[k];
      if (to === target && kind !== "carried") return k;
    }
    return null;
  }
  let here = inside(from) ? stretch(from, unit) : null;
  let found = null;
  for (let k = from + by; inside(k); k += by) {
    const there = stretch(k, unit);
    if (found !== null && there !== found) return k + 1;
    if (found === null && there !== null && there !== here) {
      if (!back) return k;
      found = there;
    } else if (found === null && there !== here) here = null;
  }
  return found !== null ? 0 : null;
};

// ------------------------------------------------------------- breakpoints
const madeBy = (event) => {
  if (event.kind === "forward") return operations[event.operation].outputs.map(valueArray);
  if (event.kind === "incoming") return event.gradients.map(arrayOf).filter(Boolean);
  return [arrayOf(event.value)];
};
const symbolText = ([base, sub, sup]) => base + (sub && `_${sub}`) + (sup && `^${sup}`);
// What a value is called at all steps: "h" of h_3, "a_f" of a_f,3.
const seriesName = ([base, sub]) => {
  const gate = /^([^\d,][^,]*),/.exec(sub);
  return gate ? `${base}_${gate[1]}` : base;
};
const valueNamed = (name) => {
  const found = [...values.filter((v) => v.kind !== "result"), ...values]
    .find((v) => name === v.name || name === symbolText(v.symbol));
  return found === undefined ? null : found.target;
};
// What a text means: a function of an event, or null (the texts of breakpoints.py).
const conditionOf = (text) => {
  const words = text.trim().toLowerCase();
  if (words === "nan" || words === "inf") {
    return (event) => madeBy(event).some(({ facts }) =>
      facts.nans || (words === "inf" && facts.infinities));
  }
  let match = /^\s*receives\s+(\S.*?)\s*$/i.exec(text);
  if (match) {
    const target = valueNamed(match[1]);
    return target === null ? null : (event) => event.target === target
      && (event.kind === "contribution" || event.kind === "stacked");
  }
  match = /^\s*norm(?:\s+of\s+(\S+))?\s*<\s*(\S+)\s*$/i.exec(text);
  const limit = match ? Number(match[2]) : NaN;
  if (!(limit > 0)) return null;
  const of = match[1];
  const called = ({ symbol }) => of === symbol[0] || of === seriesName(symbol)
    || of === symbolText(symbol);
  if (of !== undefined && !values.some(called)) return null;
  return (event) => event.kind === "incoming" && event.gradients.some((part, k) =>
    part !== null && (of === undefined
      || called(values[operations[event.operation].outputs[k]]))
    && arrayOf(part).facts.norm < limit);
};
