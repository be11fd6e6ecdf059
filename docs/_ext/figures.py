"""Tables: what `minigrad check` measured (`figures.json`), and kinks (`kinks.toml`)."""

import json
import tomllib

from included import extension


def number(value):
    return "" if value is None else f"{value:.2g}"


def broken(row):
    return f"; **broken {len(row['wrong'])} times**" if row["wrong"] else ""


def text(path):
    """The rows as reStructuredText, each with the figure that is promised."""
    found = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        ".. list-table::", "    :header-rows: 1", "",
        "    * - Promise", "      - What was tried", "      - Cases", "      - Worst",
        "      - Promised",
    ]  # fmt: skip
    for row in found["rows"]:
        promised = "" if row["limit"] is None else f"{row['limit']:g} {row['unit']}"
        lines += [
            f"    * - {row['promise']}",
            f"      - {row['what']}",
            f"      - {row['tried']:,}",
            f"      - {number(row['worst'])}",
            f"      - {promised or 'none wrong'}{broken(row)}",
        ]
    seconds = sum(row["seconds"] for row in found["rows"])
    lines += ["", f"On {found['machine']}; seed {found['seed']}, {seconds:,.0f} s.", ""]
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


setup = extension(
    {
        "figures.txt": (text, "figures.json"),
        "kinks.txt": (kinks, "kinks.toml"),
    }
)
