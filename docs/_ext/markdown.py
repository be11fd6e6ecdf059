"""The Markdown of the tutorials' texts as the reStructuredText that galleries read."""

import re

import mistune
from mistune.plugins.math import math
from mistune.plugins.table import table
from mistune.renderers.rst import RSTRenderer

UNDERLINES = {1: "=", 2: "-", 3: "~", 4: "^"}


class Renderer(RSTRenderer):
    """mistune's own, with formulas, tables, and short code as double backticks."""

    def inline_math(self, token, state):
        return rf":math:`{token['raw']}`\ "

    def block_math(self, token, state):
        lines = token["raw"].strip().splitlines()
        return ".. math::\n\n" + "".join(f"    {line}\n" for line in lines) + "\n"

    def heading(self, token, state):
        text = self.render_children(token, state)
        return f"{text}\n{UNDERLINES[token['attrs']['level']] * len(text)}\n\n"

    def block_code(self, token, state):
        language = token.get("attrs", {}).get("info") or "text"
        lines = token["raw"].rstrip().splitlines()
        body = "".join(f"    {line}".rstrip() + "\n" for line in lines)
        return f".. code-block:: {language}\n\n{body}\n"

    def table(self, token, state):
        rows = [token["children"][0]["children"]]
        rows += [row["children"] for row in token["children"][1]["children"]]
        lines = [".. list-table::", "    :header-rows: 1", ""]
        for row in rows:
            for number, cell in enumerate(row):
                mark = "* -" if number == 0 else "  -"
                lines.append(f"    {mark} {self.render_children(cell, state)}".rstrip())
        return "\n".join(lines) + "\n\n"


def rst(text):
    """reStructuredText of some Markdown."""
    # A formula that goes over the end of a line: mistune wants it on one.
    text = re.sub(r"(?<!\$)\$([^$]+)\$(?!\$)", lambda m: m[0].replace("\n", " "), text)
    markdown = mistune.Markdown(renderer=Renderer())
    for plugin in (math, table):
        plugin(markdown)
    return markdown(text).strip() + "\n"
