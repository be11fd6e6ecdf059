"""One step of a loop, repeated: recorded in full once, then as one record per step.

`unroll` runs the first steps of a cell operation by operation. What they did is a plan
(`step_plan.py`); two functions of arrays are written from it, there and back
(`step_text.py`); every further step is one call, and one record that becomes the
step's own operations when somebody looks (`repeated_step.py`). What they made can be
had without that (`step_operations.py`).

Read next: `step_plan.py`.
"""
