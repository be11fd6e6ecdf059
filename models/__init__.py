"""Recurrent networks from primitive operations: cells, the time loop, layers of them.

`rnn.py`, `lstm.py`, `lstm1997.py` and `gru.py` are the equations; `cell.py` is what
they share, `unroll.py` the time loop, `masking.py` what happens at padding,
`last_outputs.py` the end of each sequence, `recurrent.py` layers and directions. What
is built of them for real work is in `sentiment_reader.py`, `language_model.py`,
`taggers.py`, `forecaster.py`, and with the `attention.py` in `translator.py`.

Read next: `rnn.py`.
"""

if __name__ == "models":  # the short name, in a checkout: the same modules, not copies
    import sys

    import minigrad.models  # noqa: F401

    for _name, _module in list(sys.modules.items()):
        if _name.startswith("minigrad.models"):
            sys.modules[_name.removeprefix("minigrad.")] = _module
else:
    from minigrad.engine.foreign_names import nothing_else

    from .attention import AdditiveAttention, MultiplicativeAttention
    from .cell import Cell
    from .dropout import HiddenDropout
    from .forecaster import Forecaster
    from .gru import GRU, GRUCell
    from .language_model import LanguageModel
    from .last_outputs import last
    from .lstm import LSTM, LSTMCell
    from .lstm1997 import LSTM1997, LSTM1997Cell, chrono_biases, weight_count
    from .recurrent import Recurrent, Trace
    from .rnn import RNN, RNNCell
    from .sentiment_reader import SentimentReader
    from .taggers import TextTagger, WordTagger
    from .translator import Translator
    from .unroll import Unrolled, unroll, unroll_traced

    __getattr__ = nothing_else("minigrad.models", "models")

__all__ = [
    "GRU",
    "LSTM",
    "LSTM1997",
    "RNN",
    "AdditiveAttention",
    "Cell",
    "Forecaster",
    "GRUCell",
    "HiddenDropout",
    "LSTM1997Cell",
    "LSTMCell",
    "LanguageModel",
    "MultiplicativeAttention",
    "RNNCell",
    "Recurrent",
    "SentimentReader",
    "TextTagger",
    "Trace",
    "Translator",
    "Unrolled",
    "WordTagger",
    "chrono_biases",
    "last",
    "unroll",
    "unroll_traced",
    "weight_count",
]
