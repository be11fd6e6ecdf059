"""What starting costs: `import minigrad` against `import numpy`, and the first training
step with a cold and with a warm kernel cache; each in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time

STEP = """
import numpy as np, minigrad as mg
from minigrad.models import LSTM
mg.manual_seed(0)
model = LSTM(8, 16, dtype="float32")
head = mg.nn.Linear(16, 1, dtype="float32")
parameters = model.parameters() + head.parameters()
optimizer = mg.optim.Adam(parameters)
output, _ = model(np.ones((5, 4, 8), "float32"))
loss = mg.losses.binary_cross_entropy(head(output), np.ones((5, 4, 1), "float32"))
loss.backward()
mg.clip_grad_norm_(parameters, 1.0)
optimizer.step()
"""


def seconds(code, **environment):
    """How long a fresh Python runs this, its bytecode cached as for any user."""
    environment = {**os.environ, **environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return time.perf_counter() - start


def main():
    """Print the figures."""
    seconds("import minigrad")
    pairs = [(seconds("import minigrad"), seconds("import numpy")) for _ in range(7)]
    mine, theirs = (min(times) for times in zip(*pairs, strict=True))
    print(f"import minigrad: {mine / theirs:.2f} times import numpy")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        cold = seconds(STEP, MINIGRAD_CACHE_DIR=folder)
        warm = min(seconds(STEP, MINIGRAD_CACHE_DIR=folder) for _ in range(3))
    print(f"first training step, whole process: {cold:.1f} s cold, {warm:.1f} s warm")


if __name__ == "__main__":
    main()
