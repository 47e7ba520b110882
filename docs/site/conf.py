"""How Sphinx builds the site from what scripts/write_site.py has put together; everything is on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import foveate
import foveate.networks

# Loaded before autodoc does it: its way of importing, as a type checker would, is one that Pydantic doesn't bear.
for module in (foveate, foveate.networks):
    for name in module.__all__:
        getattr(module, name)

project = "foveate"
author = "The foveate developers"
html_show_copyright = False
version = release = foveate.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "site_pages.mathematics"]
root_doc = "index"
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# A docstring's single backticks are code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
# Types of other packages, and of foveate's own rooms, have no page here; names that pages refer to have.
nitpick_ignore_regex = [("py:(class|obj)", r".*"), ("py:data", r".*")]

html_theme = "furo"
html_title = f"foveate {release}"
html_math_renderer = "mathml"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
# What a search shows of a page would be fetched, which browsers don't do for files.
html_show_search_summary = False
html_theme_options = {"top_of_page_buttons": []}
