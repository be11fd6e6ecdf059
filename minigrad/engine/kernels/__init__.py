"""Compiled kernels for elementwise operations.

Read `intrinsics.py` (the dozen functions at the bottom), `jit.py` (from a rule's text
to a kernel), `kernel_store.py` (kernels kept on disk), `vectormath.py` (exp and its
relatives as arithmetic that vectorises).

Read next: `intrinsics.py`.
"""
