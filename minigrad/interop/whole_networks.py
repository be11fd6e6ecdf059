"""The networks of the tasks as ONNX graphs: what is around their recurrent part, too.

    tokens (T, B) int64 -> Gather, LSTM, MatMul, Add -> logits

Words that are not known have their own number, dropout is not written. Padded steps are
those from `lengths` on.

Read next: `onnx_models.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.interop.onnx_writer import OnnxWriter
from minigrad.models import (
    Forecaster,
    LanguageModel,
    SentimentReader,
    TextTagger,
    WordTagger,
)

Sizes = list[Any]


def sentiment_reader(writer: OnnxWriter, model: SentimentReader) -> None:
    """tokens (T, B), lengths (B,) -> logits (T, B): after each word."""
    dtype = model.embed.weight.dtype
    tokens = writer.input("tokens", "int64", ["T", "B"])
    lengths = writer.input("lengths", "int32", ["B"])
    x = writer.embedding(model.embed, tokens, "embed")
    output, _ = writer.recurrent(model.recurrent, x, [], lengths, "recurrent")
    logits = writer.linear(model.out, output, "out")
    (logits,) = writer.add("Squeeze", [logits, writer.ints(-1)])
    writer.output("logits", logits, dtype, ["T", "B"])


def language_model(writer: OnnxWriter, model: LanguageModel) -> None:
    """tokens (T, B), states, lengths -> logits (T, B, V), states to go on with."""
    dtype = model.embed.weight.dtype
    words = model.embed.num_embeddings
    tokens = writer.input("tokens", "int64", ["T", "B"])
    inner = model.recurrent
    shape = [len(inner.cells), "B", inner.hidden_size]
    letters = inner.cells[0].states
    states = [writer.input(f"{letter}0", dtype, shape) for letter in letters]
    lengths = writer.input("lengths", "int32", ["B"])
    x = writer.embedding(model.embed, tokens, "embed")
    output, ends = writer.recurrent(inner, x, states, lengths, "recurrent")
    if model.out is not None:
        logits = writer.linear(model.out, output, "out")
    else:  # the vectors of what is read are the weights of what is said
        table = writer.constant("out.weight", model.embed.weight.data.T)
        (product,) = writer.add("MatMul", [output, table])
        assert model.bias is not None, "bug: tied, and no bias"
        bias = writer.constant("bias", model.bias.data)
        (logits,) = writer.add("Add", [product, bias])
    writer.output("logits", logits, dtype, ["T", "B", words])
    for letter, end in zip(letters, ends, strict=True):
        writer.output(f"{letter}_n", end, dtype, shape)


def word_tagger(writer: OnnxWriter, model: WordTagger) -> None:
    """words (U,), pieces (U, K), places (T, B), lengths (B,) -> logits (T, B)."""
    spelled = model.embed
    dtype = spelled.words.weight.dtype
    words = writer.input("words", "int64", ["U"])
    pieces = writer.input("pieces", "int64", ["U", "K"])
    places = writer.input("places", "int64", ["T", "B"])
    lengths = writer.input("lengths", "int32", ["B"])
    (none,) = writer.add("Equal", [pieces, writer.ints(0)])
    (real,) = writer.add("Not", [none])
    (ones,) = writer.add("Cast", [real], to=writer.type_number(dtype))
    (count,) = writer.add("ReduceSum", [ones, writer.ints(1)], keepdims=1)
    one = writer.constant("one", spelled.words.weight.data.dtype.type(1))
    (count,) = writer.add("Max", [count, one])
    rows = writer.embedding(spelled.pieces, pieces, "pieces")
    (total,) = writer.add("ReduceSum", [rows, writer.ints(1)], keepdims=0)
    (mean,) = writer.add("Div", [total, count])
    vectors = writer.embedding(spelled.words, words, "words")
    (vectors,) = writer.add("Add", [vectors, mean])
    (x,) = writer.add("Gather", [vectors, places])
    output, _ = writer.recurrent(model.recurrent, x, [], lengths, "recurrent")
    logits = writer.linear(model.out, output, "out")
    (logits,) = writer.add("Squeeze", [logits, writer.ints(-1)])
    writer.output("logits", logits, dtype, ["T", "B"])


def text_tagger(writer: OnnxWriter, model: TextTagger) -> None:
    """tokens (T, B), lengths (B,) -> logits (B, tags)."""
    dtype = model.embed.weight.dtype
    tokens = writer.input("tokens", "int64", ["T", "B"])
    lengths = writer.input("lengths", "int32", ["B"])
    vectors = writer.embedding(model.embed, tokens, "embed")
    output, _ = writer.recurrent(model.recurrent, vectors, [], lengths, "recurrent")
    real = _real(writer, tokens, lengths)
    low = writer.constant("minus_one", model.embed.weight.data.dtype.type(-1))
    zero = writer.constant("zero", model.embed.weight.data.dtype.type(0))
    (seen,) = writer.add("Where", [real, output, low])
    (largest,) = writer.add("ReduceMax", [seen], axes=[0], keepdims=0)
    (kept,) = writer.add("Where", [real, vectors, zero])
    (total,) = writer.add("ReduceSum", [kept, writer.ints(0)], keepdims=0)
    (floating,) = writer.add("Cast", [lengths], to=writer.type_number(dtype))
    (root,) = writer.add("Sqrt", [floating])
    (root,) = writer.add("Unsqueeze", [root, writer.ints(1)])
    (words,) = writer.add("Div", [total, root])
    (both,) = writer.add("Concat", [largest, words], axis=1)
    logits = writer.linear(model.out, both, "out")
    writer.output("logits", logits, dtype, ["B", model.out.out_features])


def _real(writer: OnnxWriter, tokens: str, lengths: str) -> str:
    """Which steps are real, (T, B, 1): the number of the step is below the length."""
    (shape,) = writer.add("Shape", [tokens])
    number = writer.constant("zeroth", 0)
    (steps,) = writer.add("Gather", [shape, number])
    one = writer.constant("step", 1)
    (numbers,) = writer.add("Range", [number, steps, one])
    (numbers,) = writer.add("Unsqueeze", [numbers, writer.ints(1)])
    (long,) = writer.add("Cast", [lengths], to=writer.type_number("int64"))
    (real,) = writer.add("Less", [numbers, long])
    return writer.add("Unsqueeze", [real, writer.ints(2)])[0]


def forecaster(writer: OnnxWriter, model: Forecaster) -> None:
    """x (T, B, features) -> prediction (B,)."""
    inner = model.recurrent
    dtype = inner.cells[0].dtype
    x = writer.input("x", dtype, ["T", "B", inner.input_size])
    output, _ = writer.recurrent(inner, x, [], "", "recurrent")
    last = writer.constant("last", -1)
    (end,) = writer.add("Gather", [output, last], axis=0)
    change = writer.linear(model.out, end, "out")
    (change,) = writer.add("Squeeze", [change, writer.ints(-1)])
    (today,) = writer.add("Gather", [x, last], axis=0)
    first = writer.constant("first", 0)
    (today,) = writer.add("Gather", [today, first], axis=1)
    (prediction,) = writer.add("Add", [today, change])
    writer.output("prediction", prediction, dtype, ["B"])


NETWORKS: dict[type, Callable[[OnnxWriter, Any], None]] = {
    SentimentReader: sentiment_reader,
    LanguageModel: language_model,
    WordTagger: word_tagger,
    TextTagger: text_tagger,
    Forecaster: forecaster,
}
