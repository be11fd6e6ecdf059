"""The documentation: `python3 run.py site` builds it into build/site, offline.

python3 run.py site -t handout        without the exercises' solutions
python3 run.py site -D plot_gallery=0     without running the tutorials
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "minigrad"
copyright = "the minigrad authors"
extensions = [
    "lessons_site",
    "mathml",
    "reference",
    "phrases",
    "figures",
    "glossary_terms",
    "architecture",
    "sliders",
    "sphinx.ext.autodoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["generated/lessons", "_ext", "verdict_figures.rst", "lab_table.rst"]
# A space in the name of a folder above this one breaks no link within the site.
suppress_warnings = ["sphinx_gallery.space_in_filename"]
html_theme = "furo"
html_title = "minigrad"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}
html_domain_indices = False
pygments_style = "default"
pygments_dark_style = "github-dark"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False

sphinx_gallery_conf = {
    "examples_dirs": "generated/lessons",
    "gallery_dirs": "generated/tutorials",
    "filename_pattern": r"[/\\]\d\d_",
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|numpy\.ufunc",
    "abort_on_example_error": True,
    # A tutorial shows what minigrad does today, even if its own text did not change.
    "run_stale_examples": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "remove_config_comments": True,
    "image_srcset": ["2x"],
    "thumbnail_size": (420, 300),
    "reset_modules": ("matplotlib",),
    "doc_module": ("minigrad", "models"),
    "reference_url": {"minigrad": None, "models": None},
}
