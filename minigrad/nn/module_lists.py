"""Modules in a row: a list of them, and one after the other.

Read next: `parameters.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from minigrad.engine.calls import checked_methods
from minigrad.engine.errors import DTypeError, IndexingError
from minigrad.nn.module import Module


@checked_methods
class ModuleList(Module):
    """Modules in a row, as a list: indexed, counted, looped over, appended to.

    Functions such as mg.tanh may stand among them. DTypeError for what is neither.
    """

    def __init__(self, modules: Iterable[Any] = ()) -> None:
        try:
            items = list(modules)
        except TypeError:
            raise DTypeError(
                f"{type(self).__name__}({modules!r:.40}): a list is wanted",
                expect="modules, one after the other",
                actual=type(modules).__name__,
                hint="ModuleList([Linear(2, 3), Linear(3, 1)])",
            ) from None
        self._items: list[Any] = []
        for item in items:
            self.append(item)

    def members(self) -> Iterable[tuple[str, Any]]:
        """The modules, named by their number."""
        return ((str(k), module) for k, module in enumerate(self._items))

    def append(self, module: Any) -> Self:
        """Add a module at the end. Returns self."""
        if not callable(module):
            raise DTypeError(
                f"{type(self).__name__}: number {len(self._items)} is no module",
                expect="a module, or a function such as mg.tanh",
                actual=f"{module!r:.40} ({type(module).__name__})",
                hint="a plain list keeps anything, and parameters in it are found",
            )
        self._items.append(module)
        return self

    def __getitem__(self, index: Any) -> Any:
        try:
            return self._items[index]
        except (IndexError, TypeError):
            kind, count = type(self).__name__, len(self._items)
            raise IndexingError(
                f"{kind}[{index!r:.40}]: there is no such module",
                expect=f"a whole number in {-count}..{count - 1}, or a slice"
                if count
                else "a module to be there: it is empty",
                actual=f"{index!r:.40}",
                hint="modules are counted from 0, as in a list",
            ) from None

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


class Sequential(ModuleList):
    """Each applied to the result of the one before: modules, or such as mg.tanh."""

    def __init__(self, *steps: Callable[..., Any]) -> None:
        super().__init__(steps)

    def forward(self, x: Any) -> Any:
        """x through all steps, in order."""
        for step in self:
            x = step(x)
        return x
