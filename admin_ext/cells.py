"""Cells of exported sheets that no spreadsheet runs as a formula.

CSV has the core's rule. In XLSX texts are stored as texts and characters that XML
cannot hold are written as ``_xHHHH_``, which Excel reads back.
"""

from typing import Any

from openpyxl.utils.escape import escape

from upload.csv_cells import csv_cell

__all__ = ["csv_cell", "xlsx_cell"]


def xlsx_cell(value: Any) -> Any:
    """Return the value as XML can hold it; the writer stores texts as texts."""
    return escape(value) if isinstance(value, str) else value
