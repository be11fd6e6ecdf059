"""The JSON format of `Steps`: lossless, with a version, and without code.

    {"format": "minigrad-steps", "version": 1, "minigrad": "0.1.0",
     "title": str, "level": "op" | "gate" | "cell",
     "arrays":     [{"dtype": "float64", "shape": [1, 4], "data": base64}, ...],
     "formulas":   [tree, ...],
     "operations": [{"name", "inputs", "outputs", "letters", "formula", "rules",
                     "scope", "line", "rule_of", "origin"}, ...],
     "values":     [{"kind", "symbol", "array", "name", "operation", "output",
                     "gradient", "target", "uses"}, ...],
     "events":     [{"kind": "forward", "operation": 0}, ...]}

Arrays are the bytes of their entries, in C order, the lowest byte first: NaN and
infinities included, every bit kept. One that was too large has no "data" but "sample"
(base64) and "facts" [minimum, maximum, mean, norm, NaNs, infinities], as hexadecimal
floats. "formula", "rules" and every array are indices into the lists above them; equal
ones are stored once. The fields are those of the classes in `events.py`. A reader
refuses a version that it does not know. docs/steps-format.md has it all.

Read next: `json_writing.py`.
"""

FORMAT, VERSION = "minigrad-steps", 1
DTYPES = (
    "float16 float32 float64 complex64 complex128 bool int8 int16 int32 int64 "
    "uint8 uint16 uint32 uint64"
).split()
DEEPEST = 40  # levels of a formula
