"""Loops whose state no parameter reads: it is only fed, and carried on.

    for t in range(T):
        h, c = cell(x[t], (h.detach(), c))      # c goes on, and no weight multiplies it
        s = 0.9 * s + x[t] @ w                  # nor s

`repeated_cells.py` looks for uses of a parameter that are made from each other. Here
they are not: what each of them makes *meets* what was made before it, in `f * c` or in
the sum. These meetings are the links of a chain. Where nothing but the meeting is done
from one link to the next, something is only gathered (a loss, a product), and there is
no loop; nor are two uses enough to see one.

Read next: `passes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.graph import Node
from minigrad.reading.gates import signature
from minigrad.reading.handed_on import SUMS

Chain = list[int]  # positions among the nodes


def fed_chains(
    nodes: Sequence[Node], inputs: Sequence[Sequence[int]], uses: Chain
) -> list[Chain]:
    """The meetings of what a tensor's uses make with what was made before.

    nodes   oldest first;  inputs  for each node the positions of what feeds it
    uses    the positions of uses of one tensor, none made from another
    """
    found = []
    first = 0
    while first < len(uses) - 1:
        links = _links(nodes, inputs, uses[first:])
        begun = _begun(nodes, uses[first : first + 2], links)
        if len(links) + len(begun) > 2:
            found.append([*begun, *links])
        first += max(1, len(links) + 1)
    return found


def _links(
    nodes: Sequence[Node], inputs: Sequence[Sequence[int]], uses: Chain
) -> Chain:
    """Where what the second use makes meets what the first one made, and so on, for as
    long as each meeting comes before the next use."""
    link: dict[int, int] = {}  # the number of the latest link that a node comes from
    fed: dict[int, int] = {}  # and of the latest use
    links: Chain = []
    numbers = {n: k for k, n in enumerate(uses)}
    for n in range(uses[0], len(nodes)):
        if n in numbers:
            if numbers[n] > len(links) + 1:
                break
            link[n], fed[n] = (-1 if numbers[n] else 0), numbers[n]
            continue
        come = [m for m in inputs[n] if m in fed]
        if not come:
            continue
        link[n], fed[n] = max(link[m] for m in come), max(fed[m] for m in come)
        k = len(links) + 1
        if link[n] == k - 1 and fed[n] == k:
            carried = [m for m in come if link[m] == k - 1 and fed[m] < k]
            new = any(link[m] < k - 1 and fed[m] == k for m in come)
            if carried and new:
                way = _way(inputs, carried, link, links)
                if links and not _changed([nodes[m] for m in (n, *way)]):
                    return []  # it is only gathered
                if links and signature(nodes[n]) != signature(nodes[links[0]]):
                    break
                links.append(n)
                link[n] = k
    return links


def _way(
    inputs: Sequence[Sequence[int]], carried: Chain, link: dict[int, int], links: Chain
) -> Chain:
    """What was computed of the latest link, on the way to the next one."""
    todo, found = list(carried), set()
    while todo:
        m = todo.pop()
        if link.get(m) == len(links) and m not in links and m not in found:
            found.add(m)
            todo += inputs[m]
    return list(found)


def _changed(made: Sequence[Node]) -> bool:
    """Is more than a sum, and more than one operation, done from one link to the
    next?"""
    return len(made) > 1 and any(node.primitive.name not in SUMS for node in made)


def _begun(nodes: Sequence[Node], uses: Chain, links: Chain) -> Chain:
    """The first step's own link, where a state that was given takes the place of one
    that was made: the same operation, as far behind the use."""
    if not links:
        return []
    sign = signature(nodes[links[0]])
    behind = [n for n in range(uses[1] + 1, links[0]) if signature(nodes[n]) == sign]
    there = [n for n in range(uses[0] + 1, uses[1]) if signature(nodes[n]) == sign]
    return there[len(behind) : len(behind) + 1]
