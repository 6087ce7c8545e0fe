"""How Sphinx builds the documentation: ``make docs``."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Nightshift"
author = "the Nightshift authors"
project_copyright = "2026, the Nightshift authors"
release = version = version_of("nightshift-lab")

extensions = ["myst_parser", "sphinx_copybutton", "diagrams"]
exclude_patterns = ["README.md", "_ext", "_build"]
root_doc = "index"
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "attrs_inline", "tasklist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "Nightshift"
html_static_path = ["_static"]
html_css_files = ["nightshift.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#24478f", "color-brand-content": "#24478f"},
    "dark_css_variables": {"color-brand-primary": "#8fb0f0", "color-brand-content": "#8fb0f0"},
    "navigation_with_keys": True,
}
pygments_style = "friendly"
pygments_dark_style = "monokai"

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"
