"""The textbook's stories about gates, tested on a trained model.

`reading.py` reads a sentence word by word, `evidence.py` measures over many sentences,
`verdicts.py` says what holds, and `whatif.py` changes a word or clamps a gate.
"""
