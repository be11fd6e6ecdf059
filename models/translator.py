"""An encoder reads a sentence, a decoder writes another, with attention or without.

The task around it is `minigrad/tasks/translation.py`.

Read next: `minigrad/nn/` (what models are built of).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.engine.errors import one_of
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Embedding, Linear, Module

from .attention import AdditiveAttention, MultiplicativeAttention
from .gru import GRUCell
from .lstm import LSTMCell
from .recurrent import Recurrent
from .unroll import Unrolled, unroll
from .word_models import recurrent, small

ATTENTION = ("additive", "multiplicative", "none")


class Memory(NamedTuple):
    """What the decoder knows of a sentence: values (B, S, D), keys, mask (B, S).

    start  the state that the decoder begins with, its context and weights included
    """

    values: Tensor
    keys: Tensor
    mask: np.ndarray
    start: tuple[Tensor, ...]


class Translator(Module):
    """Word vectors, an encoder, a decoder, and a logit per word of the other language.

    additive        (Bahdanau et al. 2014) the context is asked for with the state
                    before the step, and is part of the step's input
    multiplicative  (Luong et al. 2015, without input feeding) the context is asked for
                    with the state after the step
    none            all that the decoder knows is the encoder's final state

    In all three y = softmax(W_o tanh(W_c [h; context])); the decoder's first state is
    tanh(W_s [the encoder's final states]), for an LSTM its cell state likewise, without
    the tanh.

    sources, targets  sizes of the vocabularies;  kind "gru", "lstm" or "rnn"
    directions        1: the encoder reads forward; 2: also from the end
    own               while training: the share of steps at which the decoder reads the
                      word that it finds likeliest itself, not the right one (Bengio et
                      al. 2015, "Scheduled sampling"). Set it from step to step
    dropout           share dropped of word vectors and of what the words are said from

    Shapes:  source (S, B), read (T, B) of whole numbers, mask (S, B) booleans
             -> logits (T, B, targets) of the words after those read
    """

    def __init__(
        self,
        sources: int,
        targets: int,
        kind: str = "gru",
        attention: str = "additive",
        embedding_size: int = 64,
        hidden_size: int = 128,
        directions: int = 2,
        dropout: float = 0.3,
        dtype: Any = "float32",
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng = generator(rng, "Translator")
        noise = rng if noise is None else noise
        one_of("attention", attention, ATTENTION)
        one_of("directions", directions, (1, 2))
        one_of("kind", kind, ("gru", "lstm"))
        common: dict[str, Any] = {"dtype": dtype, "rng": rng}
        self.own, self.noise = 0.0, noise
        width = directions * hidden_size
        self.embed_source = small(Embedding(sources, embedding_size, **common))
        self.embed_target = small(Embedding(targets, embedding_size, **common))
        self.drop = Dropout(dropout, rng=noise)
        self.encoder: Recurrent = recurrent(kind)(
            embedding_size, hidden_size, bidirectional=directions == 2, **common
        )
        self.attention: Any = None
        if attention == "additive":
            self.attention = AdditiveAttention(
                hidden_size, width, hidden_size, **common
            )
        elif attention == "multiplicative":
            self.attention = MultiplicativeAttention(hidden_size, width, **common)
        self.fed = attention == "additive"
        cell = {"gru": GRUCell, "lstm": LSTMCell}[kind]
        self.decoder: Any = cell(
            embedding_size + (width if self.fed else 0), hidden_size, **common
        )
        self.first_h = Linear(width, hidden_size, **common)
        self.first_c = Linear(width, hidden_size, **common) if kind == "lstm" else None
        seen = hidden_size if self.attention is None else hidden_size + width
        self.combine = Linear(seen, hidden_size, **common)
        self.out = Linear(hidden_size, targets, **common)
        self._name_weights()

    def _name_weights(self) -> None:
        """Give the weights the letters of the equations, as pictures show them."""
        layers = {"W_s": self.first_h, "W_c": self.combine, "W_o": self.out}
        if self.attention is not None:
            layers["W_k"] = self.attention.W_k
        if self.fed:
            layers["W_q"] = self.attention.W_q
        for name, layer in layers.items():
            layer.weight.name = name
        self.embed_source.weight.name = "E source"
        self.embed_target.weight.name = "E target"

    # ------------------------------------------------------------- both halves

    def forward(
        self, source: np.ndarray, read: np.ndarray, mask: np.ndarray | None = None
    ) -> Tensor:
        """The logits (T, B, targets), for training: the right words are read."""
        return self.decode(self.encode(source, mask), read)[0]

    def encode(self, source: np.ndarray, mask: Any = None, x: Any = None) -> Memory:
        """Read sentences (S, B). x: their word vectors (S, B, E), if at hand."""
        if x is None:
            x = self.drop(self.embed_source(source))
        if mask is None or (not isinstance(mask, Tensor) and np.all(mask)):
            output, state = self.encoder(x)
        else:
            output, state = self.encoder(x, mask=mask)
        final = state if isinstance(state, tuple) else (state,)
        joined = [mg.concatenate(mg.unstack(part), axis=1) for part in final]
        start = [mg.tanh(self.first_h(joined[0]))]
        if self.first_c is not None:
            start.append(self.first_c(joined[1]))
        values = output.swapaxes(0, 1)
        keys = values if self.attention is None else self.attention.keys(values)
        if self.fed:  # context and weights are part of what the decoder carries
            batch, steps, width = values.shape
            for shape, name in (((batch, width), "context"), ((batch, steps), "a")):
                start.append(Tensor(np.zeros(shape, values.dtype), name=f"{name}_0"))
        real = np.ones(np.shape(source), bool) if mask is None else mask
        return Memory(values, keys, real.T, tuple(start))

    def decode(
        self, memory: Memory, read: np.ndarray
    ) -> tuple[Tensor, Tensor | None, Unrolled]:
        """Logits (T, B, V), attention (T, B, S) or None, and the decoder's loop."""
        x = self.drop(self.embed_target(read))
        state = memory.start if len(memory.start) > 1 else memory.start[0]
        with mg.scope("decoder"):
            loop = unroll(self.step(memory), x, state)
        if self.fed:
            context = mg.stack(loop.in_time(-2))
            weights = mg.stack(loop.in_time(-1))
            return self.say(loop.output, context), weights, loop
        if self.attention is None:
            return self.say(loop.output, None), None, loop
        queries = loop.output.swapaxes(0, 1)
        found, a = self.attention(queries, memory.keys, memory.values, memory.mask)
        return self.say(loop.output, found.swapaxes(0, 1)), a.swapaxes(0, 1), loop

    def step(self, memory: Memory) -> Callable[[Tensor, Any], Any]:
        """The decoder's cell for these sentences: (x, state) -> state."""
        return DecoderStep(self, memory)

    def say(self, h: Tensor, context: Tensor | None) -> Tensor:
        """Logits (..., V) from states (..., H) and contexts (..., D)."""
        seen = h if context is None else mg.concatenate([h, context], axis=-1)
        return self.out(self.drop(mg.tanh(self.combine(seen))))


class DecoderStep:
    """One step of the decoder, for one batch of sentences: `step(x, state) -> state`.

    The state is h (and c), and where the context is part of the input also the context
    (B, D) and the weights (B, S) that made it.
    """

    def __init__(self, model: Translator, memory: Memory) -> None:
        self.model, self.memory = model, memory
        kept = model.decoder.states
        self.states = (*kept, "context", "a") if model.fed else kept
        self.kind = model.decoder.kind
        self._begun = False

    def __call__(self, x: Tensor, state: Any) -> Any:
        model, memory = self.model, self.memory
        parts = state if isinstance(state, tuple) else (state,)
        kept = len(model.decoder.states)
        x = self._own(x, parts)
        if not model.fed:
            return model.decoder(x, state)
        context, a = model.attention(parts[0], memory.keys, memory.values, memory.mask)
        inner = parts[:kept] if kept > 1 else parts[0]
        new = model.decoder(mg.concatenate([x, context], axis=1), inner)
        return (*(new if isinstance(new, tuple) else (new,)), context, a)

    def _own(self, x: Tensor, parts: tuple[Tensor, ...]) -> Tensor:
        """The vectors of the words to read, some of them those it would have said."""
        model = self.model
        if not (model.training and model.own > 0):
            return x
        first, self._begun = not self._begun, True
        if first:  # it reads the mark of the beginning
            return x
        chosen = model.noise.random(len(x.data)) < model.own
        with mg.no_grad():
            if model.attention is None:
                context = None
            elif model.fed:
                context = parts[-2]
            else:
                memory = self.memory
                context, _ = model.attention(
                    parts[0], memory.keys, memory.values, memory.mask
                )
            words = model.say(parts[0], context).data.argmax(axis=-1)
        return mg.where(chosen[:, None], model.embed_target(words), x)
