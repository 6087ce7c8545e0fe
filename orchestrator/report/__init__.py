"""The morning report: one night, one HTML file.

`render` is pure but for the versions of the installed packages: same journal, same page.
"""

from orchestrator.report.page import render, write_report

__all__ = ["render", "write_report"]
