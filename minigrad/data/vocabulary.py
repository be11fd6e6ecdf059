"""Words and their numbers: `tokenize` and `Vocabulary`.

Read next: `padding.py` (where the numbers become an array).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.data.argument_checks import is_sequence, number_array, whole_number
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, DataError, DTypeError, ShapeError
from minigrad.engine.known_names import KnownNames

PAD, UNKNOWN = "<pad>", "<unk>"

# Python's \w leaves out combining marks (the vowel signs of Hindi, a decomposed é), so
# matching is done on a copy of the text in which each mark is this one: it may continue
# a word or follow a symbol, never part them from what they belong to.
_MARK = "\u0300"
_RUN = rf"[^\W_]+(?:{_MARK}+[^\W_]*)*"
_TOKEN = re.compile(rf"{_RUN}(?:'{_RUN})*|(?:[^\w\s]|_){_MARK}*")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_JOINERS = "\u200c\u200d"  # invisible, but part of Persian words and of emoji


@checked_call
def tokenize(text: str, *, lower: bool = True) -> list[str]:
    """Cut a text into lower-case words and single punctuation marks.

    lower  False: letters stay as they are written

    Words are runs of letters and digits of any script; an apostrophe inside a word
    stays ("don't"; the typographic U+2019 becomes this plain one), every other visible
    character that is no letter or digit is a token of its own:

        tokenize("Don't panic -- it's 3.5!")
        -> ["don't", "panic", "-", "-", "it's", "3", ".", "5", "!"]

    White space and invisible characters (byte order mark, zero-width space, control
    codes) are dropped; accents are put into one form (NFC), so that é is one word
    character however it was typed. tokenize(" ".join(tokens)) gives the tokens again.

    Errors: DTypeError if `text` is not a str.
    """
    if not isinstance(text, str):
        raise DTypeError(
            f"tokenize(text): text is {type(text).__name__}, not str",
            expect="str",
            actual=type(text).__name__,
            hint="one text at a time: [tokenize(t) for t in texts]; decode bytes first",
        )
    text = text.replace("\u2019", "'")
    if text.isascii() and not _CONTROL.search(text):  # most of English, and faster
        return _TOKEN.findall(text.lower() if lower else text)
    kept = "".join(c for c in text if not _is_invisible(c))
    kept = unicodedata.normalize("NFC", kept.lower() if lower else kept)
    shadow = "".join(_MARK if _is_mark(c) else c for c in kept)
    return [kept[m.start() : m.end()] for m in _TOKEN.finditer(shadow)]


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    hidden = category in ("Cc", "Cf", "Cs") and character not in _JOINERS
    return hidden and not character.isspace()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in _JOINERS


@checked_methods
class Vocabulary(KnownNames):
    """Which words there are and the number of each; `<pad>` is 0 and `<unk>` is 1.

    The other words follow by falling count, equal counts alphabetically (by code
    point), so that the same texts give the same numbers on every machine.

        vocabulary = Vocabulary(["a film", "a good film", "good"], min_count=2)
        vocabulary.words                -> ("<pad>", "<unk>", "a", "film", "good")
        vocabulary.encode("A bad film") -> [2, 1, 3]

    Args:
        texts: texts (str, cut by `tokenize`) or lists of tokens, taken as they are:
            letters as tokens are `[list(text)]`.
        min_count: words seen less often are left out and will be read as `<unk>`.
        max_size: at most so many entries, `<pad>` and `<unk>` included: an Embedding
            for this vocabulary has at most `max_size` rows.

    Build it from the training part alone: words that occur only in the held-out part
    must be unknown, as they will be in use.

    Errors: DataError if no token is there or `min_count` leaves none; DTypeError for a
    bare string or for tokens that are no strings; ArgumentError for the numbers.
    """

    @checked_call
    def __init__(
        self,
        texts: Iterable[str | Iterable[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
    ) -> None:
        min_count = whole_number("Vocabulary", "min_count", min_count, least=1)
        if max_size is not None:
            max_size = whole_number("Vocabulary", "max_size", max_size, least=3)
        if isinstance(texts, str):
            raise DTypeError(
                "Vocabulary(texts): one string where a list of texts is wanted",
                expect="a list of texts or of token lists",
                actual="str",
                hint="Vocabulary([text]); for letters as tokens Vocabulary([[*text]])",
            )
        if not is_sequence(texts):
            raise DTypeError(
                "Vocabulary(texts): not a list of texts",
                expect="a list of texts or of token lists",
                actual=type(texts).__name__,
                hint="Vocabulary(list_of_texts)",
            )
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_tokens("Vocabulary", "texts", text))
        for special in (PAD, UNKNOWN):  # they have their places already
            counts.pop(special, None)
        if not counts:
            raise DataError(
                "Vocabulary(texts): there is no word in the texts",
                expect="at least one token",
                actual="none",
                hint="was the file empty, or a generator already used up?",
            )
        often = [word for word, count in counts.items() if count >= min_count]
        if not often:
            raise DataError(
                f"Vocabulary(min_count={min_count}): no word occurs so often",
                expect="min_count that leaves at least one word",
                actual=f"the most frequent word has {max(counts.values())}",
                hint="lower min_count",
            )
        often.sort(key=lambda word: (-counts[word], word))
        kept = often if max_size is None else often[: max_size - 2]
        self._set((PAD, UNKNOWN, *kept))

    def _set(self, words: tuple[str, ...]) -> None:
        self.words = words
        self._index = {word: k for k, word in enumerate(words)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_dict` wrote; DataError if `data` is not one."""
        words = data.get("words") if isinstance(data, Mapping) else None
        if (
            not isinstance(words, list | tuple)
            or not all(isinstance(word, str) for word in words)
            or tuple(words[:2]) != (PAD, UNKNOWN)
            or len(set(words)) != len(words)
        ):
            raise DataError(
                "Vocabulary.from_dict(data): this is not a saved vocabulary",
                expect='{"words": ["<pad>", "<unk>", ...]}, each word a str, once',
                actual=f"{type(data).__name__} with words {str(words)[:60]}",
                hint="pass what Vocabulary.to_dict() returned",
            )
        vocabulary = cls.__new__(cls)
        vocabulary._set(tuple(words))
        return vocabulary

    def to_dict(self) -> dict[str, list[str]]:
        """A plain dict, ready for JSON, from which `from_dict` makes this again."""
        return {"words": list(self.words)}

    def encode(
        self, text: str | Iterable[str], *, need_known: bool = False
    ) -> list[int]:
        """The number of each word of a text (cut by `tokenize`) or list of tokens.

        Unknown words become 1. With `need_known` a text without a single known word is
        a DataError: the answer of a model to it would say nothing about the text.
        """
        tokens = _tokens("Vocabulary.encode", "text", text)
        unknown = self._index[UNKNOWN]
        numbers = [self._index.get(token, unknown) for token in tokens]
        if need_known and all(number <= unknown for number in numbers):
            shown = ", ".join(repr(token) for token in tokens[:8])
            raise DataError(
                "Vocabulary.encode(text): no word of it is in the vocabulary",
                expect=f"at least one of the {len(self) - 2} known words",
                actual=shown or "an empty text",
                hint="is it the language, the case and the kind of token trained on?",
            )
        return numbers

    def decode(self, numbers: Sequence[int] | np.ndarray) -> list[str]:
        """The word of each number, `<pad>` and `<unk>` included: one row at a time.

        Errors: DataError for a number outside 0 .. len(self) - 1; ShapeError for
        anything but a flat list; DTypeError for fractions and words.
        """
        call, hint = "Vocabulary.decode", "pass numbers as encode returned them"
        array = number_array(call, "numbers", numbers, hint)
        if array.ndim != 1:
            raise ShapeError(
                f"{call}(numbers): not one flat row of numbers",
                expect="shape (T,)",
                actual=f"shape {array.shape}",
                hint="[vocabulary.decode(row) for row in padded]",
            )
        if array.size and array.dtype.kind not in "iu":
            raise DTypeError(
                f"{call}(numbers): words have whole numbers",
                expect="integers",
                actual=f"{array.dtype}",
                hint=hint,
            )
        for k, number in enumerate(array.tolist()):
            if not 0 <= number < len(self):
                raise DataError(
                    f"{call}(numbers): numbers[{k}] is not the number of a word",
                    expect=f"0 <= number < {len(self)}",
                    actual=str(number),
                    hint="was it encoded by another vocabulary?",
                )
        return [self.words[int(number)] for number in array]

    def index(self, word: str) -> int:
        """The number of one word; ArgumentError if it is not in the vocabulary."""
        if word in self:
            return self._index[word]
        raise ArgumentError(
            f"Vocabulary.index({word!r}): this word is not in the vocabulary",
            expect="a word of vocabulary.words",
            actual=repr(word),
            hint='encode([word]) gives 1, the number of "<unk>", for such words',
        )

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        shown = ", ".join(repr(word) for word in self.words[:6])
        return f"Vocabulary({len(self)} words: {shown}{', ...' * (len(self) > 6)})"


def _tokens(call: str, name: str, text: Any) -> list[str]:
    """The tokens of a text or token list; DTypeError for what is neither."""
    if isinstance(text, str):
        return tokenize(text)
    tokens = list(text) if is_sequence(text) else [text]
    for token in tokens:
        if not isinstance(token, str):
            raise DTypeError(
                f"{call}({name}): tokens are strings",
                expect="a str, or a flat list of str",
                actual=f"{token!r} ({type(token).__name__})",
                hint="one text or one flat list of tokens each",
            )
    return tokens
