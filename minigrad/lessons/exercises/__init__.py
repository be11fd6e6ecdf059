"""Exercises that are checked: what to write, and what it has to give.

`exercise.py` says what an exercise is and what is wrong with an answer. The exercises
are in `gradient_exercises.py` (lessons 1 to 5), `cell_exercises.py` (6 to 10),
`data_exercises.py` (11 to 14) and `search_exercises.py` (15, 16).
`checking_answers.py` runs a learner's file as a program of its own, and
`answer_program.py` is what runs there.

Read next: `exercise.py`.
"""

from minigrad.lessons.exercises.checking_answers import check, of_lesson, template

__all__ = ["check", "of_lesson", "template"]
