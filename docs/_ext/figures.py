"""Tables: what `minigrad check` and the tests measured, kinks, surviving mutants."""

import json
import tomllib

from included import extension


def number(value):
    return "" if value is None else f"{value:.2g}"


def broken(row):
    return f"; **broken {len(row['wrong'])} times**" if row["wrong"] else ""


def published(row, peers):
    """The best figure that any peer publishes for the same thing."""
    fitting = (
        peer["figure"]
        for peer in peers
        if peer["promise"] == row["promise"] and peer.get("what", "") in row["what"]
    )
    return next(fitting, "none published")


def summed(rows):
    """One row per promise and what was tried: tests and their parts put together."""
    whole = {}
    for row in rows:
        one = whole.setdefault(
            (row["promise"], row["what"]),
            row | {"tried": 0, "worst": None, "seconds": 0.0, "wrong": [], "tests": []},
        )
        one["tried"] += row["tried"]
        one["seconds"] += row["seconds"]
        one["wrong"] = one["wrong"] + row["wrong"]
        if row["worst"] is not None:
            one["worst"] = max(row["worst"], one["worst"] or 0.0)
        if "test" in row:
            file = row["test"].partition("::")[0]
            one["tests"] += [] if file in one["tests"] else [file]
    return list(whole.values())


def text(path):
    """The rows as reStructuredText, each with what is promised, and what peers publish.

    path  figures.json of `minigrad check -o`, or proven.json of `pytest --figures`;
          peers.toml lies beside it
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    peers = path.with_name("peers.toml").read_text(encoding="utf-8")
    peers = tomllib.loads(peers)["peer"]
    rows = summed(found["rows"])
    with_tests = any(row["tests"] for row in rows)
    lines = [
        ".. list-table::", "    :header-rows: 1", "    :class: measured", "",
        "    * - Promise", "      - What was tried", "      - Cases", "      - Worst",
        "      - Promised", "      - Best of any peer",
    ]  # fmt: skip
    if with_tests:
        lines.append("      - Test")
    for row in rows:
        promised = "" if row["limit"] is None else f"{row['limit']:g} {row['unit']}"
        lines += [
            f"    * - {row['promise']}",
            f"      - {row['what']}",
            f"      - {row['tried']:,}",
            f"      - {number(row['worst'])}",
            f"      - {promised or 'none wrong'}{broken(row)}",
            f"      - {published(row, peers)}",
        ]
        if with_tests:
            lines.append("      - " + ", ".join(f"``{test}``" for test in row["tests"]))
    seconds = sum(row["seconds"] for row in rows)
    if "machine" in found:
        end = f"On {found['machine']}; seed {found['seed']}, {seconds:,.0f} s."
    else:
        end = f"{sum(row['tried'] for row in rows):,} cases in {seconds / 3600:.1f} h."
    return "\n".join([*lines, "", end, ""])


def entries(numbers):
    """0, 1.5, inf, ... as one speaks of them."""
    many = numbers if isinstance(numbers, list) else [numbers]
    return ", ".join(f"{x:.3g}" for x in many)


def kinks(path):
    """The table of values and slopes as reStructuredText."""
    lines = [
        ".. list-table::", "    :header-rows: 1", "",
        "    * - Operation", "      - At", "      - Value", "      - Slope",
        "      - Note",
    ]  # fmt: skip
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["kink"]:
        names = [name for name in "xb" if name in row]
        at = "; ".join(f"{name} = {entries(row[name])}" for name in names)
        slope = "; ".join(
            f"to {name}: {entries(row[f'slope_{name}'])}" for name in names
        )
        lines += [
            f"    * - ``{row['write']}``",
            f"      - {at}",
            f"      - {entries(row['value'])}",
            f"      - {slope}",
            f"      - {row.get('note', '')}",
        ]
    return "\n".join(lines) + "\n"


def mutants(path):
    """How many mutants of each folder were noticed, and those that cannot be.

    path  surviving_mutants.toml; proven.json lies beside it
    """
    rows = json.loads(path.with_name("proven.json").read_text("utf-8"))["rows"]
    lines = [
        ".. list-table::", "    :header-rows: 1", "",
        "    * - Folder", "      - Mutants", "      - Noticed at first",
        "      - Noticed now", "      - No difference", "      - Code changed",
        "      - Neither",
    ]  # fmt: skip
    for row in rows:
        if row["what"].startswith("mutants of ") and "killed" in row:
            gone = row.get("rewritten", 0)
            left = row["tried"] - row["killed"] - row["explained"] - gone
            folder = row["what"].removeprefix("mutants of ")
            lines.append(f"    * - ``{folder}``")
            first = row.get("at_first", row["killed"])
            figures = row["tried"], first, row["killed"], row["explained"], gone, left
            lines += [f"      - {figure}" for figure in figures]
    lines += ["", "Those that make no difference, and why:", ""]
    for one in tomllib.loads(path.read_text("utf-8"))["mutant"]:
        lines += [
            f"* ``{one['file']}``: ``{one['before']}`` became ``{one['after']}``.",
            f"  {one['why']}",
        ]
    return "\n".join([*lines, ""])


setup = extension(
    {
        "figures.txt": (text, "figures.json"),
        "proven.txt": (text, "proven.json"),
        "kinks.txt": (kinks, "kinks.toml"),
        "mutants.txt": (mutants, "surviving_mutants.toml"),
    }
)
