"""Settings of the site: ``sphinx-build -W --keep-going -b html docs docs/_build``. Nothing is fetched."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

# one thread for each example: two of them run side by side, and the same bits come out on every machine
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

project = "skmdiff"
author = "The skmdiff developers"
copyright = author
version = release = version_of("skmdiff")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "reference_pages",
    "root_documents",
]
exclude_patterns = ["_build", "gallery/**/*.ipynb", "**/sg_execution_times.rst", "sg_execution_times.rst"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
# `name` in docstrings: a link where it names something of the reference, code elsewhere
default_role = "py:obj"
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

autodoc_typehints = "none"  # types are in the docstrings
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the reference pages list members themselves
numpydoc_attributes_as_param_list = True

sphinx_gallery_conf = {
    "examples_dirs": [str(HERE.parent / "examples" / "gallery")],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"plot_",
    "abort_on_example_error": True,
    "parallel": 2,
    "download_all_examples": False,
    "show_signature": False,
    "plot_gallery": os.environ.get("SKMDIFF_GALLERY", "1") == "1",
    "min_reported_time": 60,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skmdiff {release}"
html_static_path = ["_static"]
html_css_files = ["skmdiff.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"install": [], "tour": [], "comparison": [], "changelog": [], "glossary": []}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
