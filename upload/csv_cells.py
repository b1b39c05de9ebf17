"""Cells of CSV files that no spreadsheet runs as a formula.

One rule for every door: a text that a spreadsheet could take for a formula, or that
begins with an apostrophe already, gets one apostrophe before it. Who takes one leading
apostrophe away has the value again.
"""

import unicodedata
from typing import Any

MARK = "'"
# What stands before the first visible character does not stop a spreadsheet.
PASSED_OVER = " \"'\u00a0\u3000\ufeff\u200b\u200e\u200f"
STARTERS = tuple("=+-@|%\t\r\n\0")


def csv_cell(value: Any) -> Any:
    """Return the value, a dangerous text marked with an apostrophe."""
    if not isinstance(value, str) or not _needs_mark(value):
        return value
    return f"{MARK}{value}"


def _needs_mark(text: str) -> bool:
    if text[:1].isascii() and text[:1].isalnum():
        return False  # as most begin
    bare = unicodedata.normalize("NFKC", text.lstrip(PASSED_OVER))
    return text.startswith(MARK) or bare.startswith(STARTERS)
