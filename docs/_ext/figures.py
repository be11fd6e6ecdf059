"""Tables: what `minigrad check` and the tests measured, kinks, surviving mutants."""

import json
import tomllib

from included import extension


def unbroken(words):
    """With hyphens at which no line ends: 1e-13 stays together."""
    return words.replace("-", "\u2011")


def number(value):
    return "" if value is None else unbroken(f"{value:.2g}")


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


TITLES = {
    "gradients": "1. The gradient is right",
    "or an error": "2. Or there is an error",
    "values": "3. Values and slopes to a number of ULP",
    "same bits": "4. Same inputs, same bits",
    "deep and long": "5. Deep and long",
    "kernels": "6. Kernels never surprise",
    "files": "7. Files and names are harmless",
    "nothing is lost": "8. Nothing is lost",
    "compiled": "9. Compiled is eager",
    "other libraries": "Other libraries' own test cases",
    "the tests": "The tests themselves: mutants of the code",
}


def table(rows, peers, columns):
    """Rows as a table in reStructuredText.

    columns  of "promise", "what", "cases", "worst", "promised", "peer", "test"
    """
    heads = {
        "promise": "Promise", "what": "What was tried", "cases": "Cases",
        "worst": "Worst", "promised": "Promised", "peer": "Best of any peer",
        "test": "Test",
    }  # fmt: skip
    lines = [".. list-table::", "    :header-rows: 1", "    :class: measured", ""]
    cells = [heads]
    for row in rows:
        limit = row["limit"]
        promised = "" if limit is None else f"{unbroken(f'{limit:g}')} {row['unit']}"
        cells.append(
            {
                "promise": row["promise"],
                "what": row["what"],
                "cases": f"{row['tried']:,}",
                "worst": number(row["worst"]),
                "promised": f"{promised or 'none wrong'}{broken(row)}",
                "peer": published(row, peers),
                "test": ", ".join(f"``{test}``" for test in row["tests"]),
            }
        )
    for one in cells:
        marks = ["*"] + [" "] * (len(columns) - 1)
        lines += [
            f"    {mark} - {one[name]}".rstrip()
            for mark, name in zip(marks, columns, strict=True)
        ]
    return [*lines, ""]


def read(path):
    """(what is in a file of figures, its rows put together, what peers publish)."""
    found = json.loads(path.read_text(encoding="utf-8"))
    peers = path.with_name("peers.toml").read_text(encoding="utf-8")
    return found, summed(found["rows"]), tomllib.loads(peers)["peer"]


def text(path):
    """figures.json of `minigrad check -o` as one table; peers.toml lies beside it."""
    found, rows, peers = read(path)
    columns = ("promise", "what", "cases", "worst", "promised", "peer")
    seconds = sum(row["seconds"] for row in rows)
    end = f"On {found['machine']}; seed {found['seed']}, {seconds:,.0f} s."
    return "\n".join([*table(rows, peers, columns), end, ""])


def proven(path):
    """proven.json of `pytest --figures`: a table for each promise.

    Where no peer publishes a figure for anything in it, one sentence says so.
    """
    _, rows, peers = read(path)
    lines = []
    for promise in dict.fromkeys([*TITLES, *[row["promise"] for row in rows]]):
        mine = [row for row in rows if row["promise"] == promise]
        if not mine:
            continue
        title = TITLES.get(promise, promise)
        lines += [title, "~" * len(title), ""]
        columns = ["what", "cases", "worst", "promised", "peer", "test"]
        if not any(row["limit"] is not None for row in mine):
            columns.remove("worst")
        if all(published(row, peers) == "none published" for row in mine):
            columns.remove("peer")
            end = "No peer publishes figures for these."
        else:
            end = ""
        seconds = sum(row["seconds"] for row in mine)
        cases = sum(row["tried"] for row in mine)
        lines += table(mine, peers, columns)
        lines += [f"{cases:,} cases, {seconds / 60:,.0f} minutes. {end}".rstrip(), ""]
    return "\n".join(lines)


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
        "proven.txt": (proven, "proven.json"),
        "kinks.txt": (kinks, "kinks.toml"),
        "mutants.txt": (mutants, "surviving_mutants.toml"),
    }
)
