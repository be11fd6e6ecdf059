"""Loops that nobody marked: a cell that is called again and again in a plain `for`.

    for t in range(T):
        h = cell(x[t], h)               # no time_step, no unroll

    repeated(nodes)     # one list of steps per loop, each a list of its nodes

What is looked for is a tensor of the user's that is used several times in the same way,
each use made from the result of the one before: those uses are a *chain*, and each of
its links is a step. Which of the operations between two links belong to which step is
told by what feeds what. Where no use is made from another, `fed_states.py` looks on.

Read next: `fed_states.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import Any

from minigrad.engine.graph import Edge, Leaf, Node
from minigrad.reading.fed_states import fed_chains
from minigrad.reading.gates import signature
from minigrad.reading.links import Links
from minigrad.reading.passes import passes

MOST_WORK = 4_000_000  # uses of a tensor times operations that are walked over
NEAR = 64  # operations among which a copied value is looked for
Chain = list[int]  # positions among the nodes


def repeated(
    nodes: Sequence[Node], free: Callable[[Node], bool] = lambda node: True
) -> list[list[list[Node]]]:
    """The loops among some nodes (oldest first): for each its steps, as lists of nodes.

    free  may a loop be found by this node? Those of marked loops are only carried along
    Loops within a step of another are not told: look into the steps for them.
    """
    return Repeated(nodes, free).loops()


class Repeated:
    """Finds chains of uses, and the steps around their links."""

    def __init__(self, nodes: Sequence[Node], free: Callable[[Node], bool]) -> None:
        self.nodes = nodes
        self.free = free
        self.sites = self._sites()
        if self.sites:
            self.inputs = self._inputs()
            self.readers: list[list[int]] = [[] for _ in nodes]
            for n, found in enumerate(self.inputs):
                for m in found:
                    self.readers[m].append(n)

    def loops(self) -> list[list[list[Node]]]:
        """The outermost loops, in order of time."""
        if not self.sites:
            return []
        taken: set[int] = set()
        found = self._taking(
            [c for uses in self.sites for c in self._chains(uses)], taken
        )
        left = [uses for uses in self.sites if taken.isdisjoint(uses)]
        fed = [c for uses in left for c in fed_chains(self.nodes, self.inputs, uses)]
        found += self._taking(fed, taken, fed=True)
        return sorted(found, key=lambda steps: steps[0][0].seq)

    def _taking(
        self, chains: list[Chain], taken: set[int], fed: bool = False
    ) -> list[list[list[Node]]]:
        """The loops of some chains, in order; what they consist of is `taken`."""
        found = []
        for group in _together(chains):
            if taken.isdisjoint(group[0]):
                steps = self._steps(group, fed)
                taken.update(n for step in steps for n in step)
                found += passes([[self.nodes[n] for n in step] for step in steps])
        return found

    # ------------------------------------------------------------- chains

    def _sites(self) -> list[Chain]:
        """For each way in which a tensor is used more than once: the uses."""
        leaves = [
            edge.source
            for node in self.nodes
            for edge in node.edges
            if type(edge) is Edge and type(edge.source) is Leaf
        ]
        if len(leaves) == len(set(leaves)):
            return []
        count = Counter(leaves)
        found: dict[tuple[Any, ...], Chain] = {}
        for n, node in enumerate(self.nodes):
            for k, edge in enumerate(node.edges):
                source = edge.source
                if type(source) is Leaf and count[source] > 1 and self.free(node):
                    found.setdefault((source, k, *signature(node)), []).append(n)
        several = [uses for uses in found.values() if len(uses) > 1]
        several.sort(key=len, reverse=True)
        return several[: max(4, MOST_WORK // max(1, len(self.nodes)))]

    def _inputs(self) -> list[list[int]]:
        """For each node the positions of what feeds it, detached or not."""
        position = {node: n for n, node in enumerate(self.nodes)}
        links, found = Links(), []
        for node in self.nodes:
            sources = [m for m, _ in links.of(node, NEAR)]
            found.append([position[m] for m in sources if m in position])
            links.add(node)
        return found

    def _chains(self, uses: Chain) -> list[Chain]:
        """The uses in rows, in which each comes from the one before."""
        wanted = set(uses)
        latest = [-1] * len(self.nodes)  # the latest use that a node comes from
        ends: dict[int, Chain] = {}  # last link -> chain
        for n in range(uses[0], len(self.nodes)):
            before = max([latest[m] for m in self.inputs[n]], default=-1)
            latest[n] = before
            if n in wanted:
                ends[n] = ends.pop(before, [])
                ends[n].append(n)
                latest[n] = n
        return [chain for chain in ends.values() if len(chain) > 1]

    # ------------------------------------------------------------- steps

    def _steps(self, group: list[Chain], fed: bool) -> list[list[int]]:
        """The nodes of every step around the links of some chains; [] if the stretches
        between the links are not alike."""
        rows = list(zip(*group, strict=True))
        links = [min(row) for row in rows]
        starts = self._starts(links)
        steps: list[list[int]] = [[] for _ in links]
        for k, (start, after) in enumerate(pairwise(links)):
            ahead = starts[k + 1]
            if fed:
                ahead = min(ahead, self._begin(start, after))
            mine = self._belonging(rows[k], ahead)
            for n in range(start, after):
                steps[k if n in mine else k + 1].append(n)
        first = [n for n in steps[1] if n < links[1]]
        steps[0] = [*self._before(links[0], first), *steps[0]]
        inner = zip(steps[:-1], links[:-1], strict=True)
        tails = [[n for n in step if n > link] for step, link in inner]
        last, whole = self._after(links[-1], tails)
        steps[-1] += [links[-1], *last]
        if not fed and len(tails) < 3 and not any(tails):
            return []  # x * x * x is no loop
        alike = _alike([[self._sign(n) for n in tail] for tail in tails], whole)
        return steps if alike else []

    def _starts(self, links: Chain) -> Chain:
        """Where each step begins at the latest: other tensors are used there, too, once
        per step before the link."""
        starts = list(links)
        for uses in self.sites:
            if len(uses) == len(links) and uses[0] < links[0]:
                ahead = zip(uses[1:], links[:-1], links[1:], strict=True)
                if all(low < n < high for n, low, high in ahead):
                    starts = [min(a, b) for a, b in zip(starts, uses, strict=True)]
        return starts

    def _begin(self, start: int, after: int) -> int:
        """Where the stretch of program that makes the next link begins: going back from
        there, an operation whose place in it is not before that of the one behind it
        is of an earlier turn of the loop, or of another call."""
        link = self.nodes[after]
        begin, offset = after, link.offset
        for n in range(after - 1, start, -1):
            node = self.nodes[n]
            if node.code is link.code:
                if node.offset >= offset:
                    break
                begin, offset = n, node.offset
        return begin

    def _belonging(self, row: Sequence[int], ahead: int) -> set[int]:
        """Which nodes before the next step's first link are of this step: what comes
        from its links, one of each chain, and what that needs besides."""
        start, mine = min(row), set(row)
        for n in range(start + 1, ahead):
            if any(m in mine for m in self.inputs[n]):
                mine.add(n)
        for n in range(ahead - 1, start, -1):
            if n not in mine and any(m in mine and m < ahead for m in self.readers[n]):
                mine.add(n)
        return mine

    def _before(self, link: int, usual: list[int]) -> list[int]:
        """What stands before the first link as it does before the second."""
        count = 0
        while count < len(usual) and link - count > 0:
            ours, theirs = self.nodes[link - count - 1], self.nodes[usual[-count - 1]]
            if signature(ours) != signature(theirs):
                break
            count += 1
        return list(range(link - count, link))

    def _after(self, link: int, tails: list[list[int]]) -> tuple[list[int], bool]:
        """What stands after the last link as it does after another: the longest; and
        whether all that stands after the other does."""
        signs = sorted({tuple(map(self._sign, tail)) for tail in tails}, key=len)
        best, whole = 0, False
        for theirs in signs:
            pairs = zip(self._signs(link, len(theirs)), theirs, strict=False)
            count = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
            if (count == len(theirs), count) > (whole, best):
                best, whole = count, count == len(theirs)
        for theirs in () if whole else signs:  # does it do all of this, and more?
            ours = self._signs(link, 2 * len(theirs))
            matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
            blocks = [block for block in matcher.get_matching_blocks() if block.size]
            if sum(block.size for block in blocks) == len(theirs) > 0:
                best, whole = blocks[-1].a + blocks[-1].size, True
                break
        return list(range(link + 1, link + 1 + best)), whole

    def _signs(self, link: int, count: int) -> tuple[Any, ...]:
        """What stands after a link, so many operations of it."""
        stop = min(len(self.nodes), link + 1 + count)
        return tuple([self._sign(n) for n in range(link + 1, stop)])

    def _sign(self, n: int) -> tuple[Any, ...]:
        return signature(self.nodes[n])


def _alike(tails: list[list[tuple[Any, ...]]], whole: bool) -> bool:
    """Do the steps do the same often enough to be steps of a loop?"""
    if len(tails) == 1:
        return whole
    counted = Counter(map(tuple, tails))
    return whole or counted.most_common(1)[0][1] > 1


def _together(chains: list[Chain]) -> list[list[Chain]]:
    """Chains that are passed in turn belong to one loop; the longest stretches first.
    What is used in some of a loop's steps only is no loop of its own."""
    groups: list[list[Chain]] = []
    for chain in sorted(chains, key=lambda c: (c[0] - c[-1], c[0])):
        for group in groups:
            if _in_turn(chain, group[0]):
                group.append(chain)
                break
        else:
            groups.append([chain])
    tops = [group[0] for group in groups]
    return [g for g in groups if not any(_within(g[0], other) for other in tops)]


def _in_turn(a: Chain, b: Chain) -> bool:
    """Are the links of two chains passed in turn?"""
    return (
        len(a) == len(b)
        and all(map(int.__lt__, a, b[1:]))
        and all(map(int.__lt__, b, a[1:]))
    )


def _within(a: Chain, b: Chain) -> bool:
    """Is `a` passed in some of the steps of the longer chain `b`?"""
    if len(b) <= len(a) or (a[0] < b[0] and b[-1] < a[-1] and len(a) == 2):
        return False
    between = [any(x < n < y for n in b) for x, y in pairwise(a)]
    inner = any(x < b[0] and b[-1] < y for x, y in pairwise(a))
    return all(between) and not inner
