"""Recurrent networks from primitive operations: cells, the time loop, layers of them.

Start with `unroll.py` (the loop), then `rnn.py`, `lstm.py`, `gru.py` (the equations)
and `recurrent.py` (layers and directions). What is built of them for real work is in
`sentiment.py`, `language.py` and `tagging.py`.
"""

from models.cell import Cell
from models.dropout import HiddenDropout
from models.gru import GRU, GRUCell
from models.language import LanguageModel
from models.lstm import LSTM, LSTMCell
from models.recurrent import Recurrent, Trace
from models.rnn import RNN, RNNCell
from models.sentiment import SentimentReader
from models.tagging import TextTagger, WordTagger
from models.unroll import Unrolled, unroll, unroll_traced
from models.weather import Forecaster

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Cell",
    "Forecaster",
    "GRUCell",
    "HiddenDropout",
    "LSTMCell",
    "LanguageModel",
    "RNNCell",
    "Recurrent",
    "SentimentReader",
    "TextTagger",
    "Trace",
    "Unrolled",
    "WordTagger",
    "unroll",
    "unroll_traced",
]
