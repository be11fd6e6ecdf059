"""What docs/steps-format.md says of the file is so."""

import base64
import json
import re
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.models import GRU
from minigrad.stepping.record.events import KINDS

TEXT = (Path(__file__).parents[2] / "docs" / "steps-format.md").read_text()


def test_a_reader_written_from_the_page_alone(rng):
    """Gradients, added up by what the page says, without any class of ours."""
    net = GRU(2, 3, dtype="float32", rng=0)
    x = mg.tensor(rng.standard_normal((4, 2, 2)).astype("float32"))
    output, _ = net(x)
    loss = (output * output).sum()
    data = json.loads(mg.steps(loss).to_json())
    loss.backward()

    def array(k):
        item = data["arrays"][k]
        raw = base64.b64decode(item["data"])
        return np.frombuffer(raw, np.dtype(item["dtype"])).reshape(item["shape"])

    plain, stacked = {}, {}
    for event in data["events"]:
        sums = {"contribution": plain, "stacked": stacked}.get(event["kind"])
        if sums is None or event.get("aside"):
            continue
        k, value = event["target"], array(event["value"])
        sums[k] = sums[k] + value if k in sums else value
    for p in net.parameters():
        [k] = [k for k, v in enumerate(data["values"]) if v["name"] == p.name]
        total = plain.get(k)
        if k in stacked:
            total = stacked[k] if total is None else total + stacked[k]
        assert total.tobytes() == p.grad.data.tobytes()


def test_every_field_and_kind_is_described():
    w = mg.tensor(np.ones((2, 2)), requires_grad=True)
    with mg.time_step(0):
        y = mg.tanh(w @ w)
    data = json.loads(mg.steps(y.sum()).to_json())
    names = {*data, *data["operations"][0], *data["values"][0], *data["arrays"][0]}
    for event in data["events"]:
        names |= set(event)
    assert all(re.search(rf"[`\"]{name}[`\"]", TEXT) for name in names), names
    assert all(f"`{kind}`" in TEXT for kind in KINDS)
