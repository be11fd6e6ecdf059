"""Writes texts into `docs/generated/` before the pages that include them are built."""

from pathlib import Path


def extension(pages):
    """The `setup` of an extension that makes these texts.

    pages  {name of the file made: (function of the source's path, name of the source)}
    """

    def write(app):
        folder = Path(app.srcdir)
        (folder / "generated").mkdir(exist_ok=True)
        for name, (make, source) in pages.items():
            made = make(folder / source)
            (folder / "generated" / name).write_text(made, encoding="utf-8")

    def setup(app):
        app.connect("builder-inited", write, priority=100)
        return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

    return setup
