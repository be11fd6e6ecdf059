"""From text, tables and series to the arrays a recurrent network reads.

The way of a sentence: `tokenize` cuts it into words, a `Vocabulary` turns words into
numbers, `batches` picks some sentences, `pad_sequences` makes them equally long and
says which steps are real:

    reviews = mg.data.movie_reviews()
    train, test = mg.data.split(reviews, (0.8, 0.2), rng=0)
    vocabulary = mg.data.Vocabulary(train.texts, min_count=2)   # training part only
    encoded = [vocabulary.encode(text) for text in train.texts]
    for sequences, ratings in mg.data.batches(encoded, train.ratings, batch_size=32):
        x, mask = mg.data.pad_sequences(sequences, return_mask=True)
        ...                                # x.T (T, B) goes with mask (T, B)

Nothing here needs the engine: plain Python and NumPy arrays in, NumPy arrays out. After
words (`vocabulary.py`, `padding.py`, `batching.py`) come numbers (`arrays.py`,
`scaling.py`, `streams.py`), and then where they come from (`files.py`, `shipped.py`).

Read next: `vocabulary.py` (words and their numbers).
"""

from minigrad.data.arrays import one_hot, to_categorical, windows
from minigrad.data.batching import Batches, batches, split
from minigrad.data.files import read_table, read_text
from minigrad.data.padding import ngram_prefixes, pad_sequences
from minigrad.data.scaling import Scaling
from minigrad.data.shipped import (
    EnglishGerman,
    FirstNames,
    MovieReviews,
    ProgramTags,
    SeattleWeather,
    StockPrices,
    WeeklyCO2,
    alice,
    english_german,
    first_names,
    movie_reviews,
    program_tags,
    seattle_weather,
    stock_prices,
    weekly_co2,
)
from minigrad.data.streams import Streams
from minigrad.data.vocabulary import Vocabulary, tokenize
from minigrad.engine.foreign_names import nothing_else

__all__ = [
    "Batches",
    "EnglishGerman",
    "FirstNames",
    "MovieReviews",
    "ProgramTags",
    "Scaling",
    "SeattleWeather",
    "StockPrices",
    "Streams",
    "Vocabulary",
    "WeeklyCO2",
    "alice",
    "batches",
    "english_german",
    "first_names",
    "movie_reviews",
    "ngram_prefixes",
    "one_hot",
    "pad_sequences",
    "program_tags",
    "read_table",
    "read_text",
    "seattle_weather",
    "split",
    "stock_prices",
    "to_categorical",
    "tokenize",
    "weekly_co2",
    "windows",
]

__getattr__ = nothing_else("minigrad.data", "mg.data")
