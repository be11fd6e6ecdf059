"""A few operations as one short formula: "x W_x + h W_h + b".

Read next: `operation_symbols.py`.
"""

from __future__ import annotations

from minigrad.drawing.read.operation_symbols import SYMBOLS, tag_name
from minigrad.engine.graph import Leaf, Node
from minigrad.reading.levels import innermost, layer_of, letter
from minigrad.reading.text import clean

LONGEST = 34  # characters; longer formulas are told in other words
_MOVES = {"split", "reshape", "unstack", "astype", "broadcast_to", "transpose"}


def formulas(
    nodes: list[Node], numbers: dict[Node, int], inside: list[int]
) -> tuple[str, ...]:
    """What these operations compute, one formula per result; () if that gets long."""
    members = set(inside)
    written: dict[int, str] = {}
    used: set[int] = set()
    for n in inside:
        node = nodes[n]
        words = []
        for edge in node.edges:
            source = edge.source
            m = numbers.get(source) if type(source) is Node else None
            if m in members:
                used.add(m)  # type: ignore[arg-type]
                words.append(written.get(m, "?"))  # type: ignore[arg-type]
            else:
                words.append(_outside(edge, node))
        text = _written(node, words)
        if text is None or len(text) > LONGEST:
            return ()
        written[n] = text
    results = dict.fromkeys(written[n] for n in inside if n not in used)
    return tuple(clean(text) for text in results) if len(results) <= 2 else ()


def _written(node: Node, words: list[str]) -> str | None:
    name = node.primitive.name
    if name == "matmul":
        return " ".join(f"({w})" if " + " in w else w for w in words)
    if name in ("add", "subtract"):
        return f" {SYMBOLS[name]} ".join(words)
    if name in ("multiply", "divide"):
        return f" {SYMBOLS[name]} ".join(f"({w})" if " " in w else w for w in words)
    if name in _MOVES:
        return words[0]
    if name in ("concatenate", "stack"):
        return f"[{', '.join(words)}]"
    if len(words) == 1:
        return f"{SYMBOLS.get(name, name)}({words[0]})"
    return None


def _outside(edge, node: Node) -> str:
    """The name of what comes from elsewhere."""
    source = edge.source
    if type(source) is Leaf:
        name = (source.name or "·")[-400:].rpartition(".")[2]
        if name in ("h0", "c0"):  # initial states: the formula is that of every step
            name = name[0]
        return clean(name, 10)
    if source is None:
        return f"{edge.array.item():.3g}" if edge.array.size == 1 else "·"
    if layer_of(source.scope) != layer_of(node.scope) is not None:
        return "x"  # what comes from below is the layer's input
    tagged = tag_name(source, edge.index)
    if tagged:
        return clean(tagged, 10)
    gate = innermost(source.scope, "gate")
    if gate is not None:
        return letter(gate)
    if source.primitive.name == "unstack":
        before = source.edges[0].source
        named = type(before) is Leaf and before.name
        return clean(named, 10) if named else "x"
    return "·"
