"""Counts and sizes in words."""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upload import conf
from upload.names import real_extension

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size_text(size_bytes: int) -> str:
    """Return for example ``1.23 MB``: base 1000, two decimals, none for bytes."""
    if size_bytes < 1000:
        return f"{number_format(size_bytes)} B"
    size, unit = float(size_bytes), 0
    while size >= 999.995 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{number_format(size, decimal_pos=2)} {UNITS[unit]}"


def count_by_format(names: Iterable[str], formats: Mapping[str, list[str]]) -> str:
    """Return for example ``2 PDF files, 1 Image file and 1 other file``."""
    group_of = {end: group for group, ends in formats.items() for end in ends}
    counts = Counter(group_of.get(real_extension(name), "") for name in names)
    if not counts:
        return _("0 files")
    parts = [
        ngettext("%(count)d %(group)s file", "%(count)d %(group)s files", counts[group])
        % {"count": counts[group], "group": group}
        for group in formats
        if counts[group]
    ]
    if counts[""]:
        parts.append(
            ngettext("%(count)d other file", "%(count)d other files", counts[""])
            % {"count": counts[""]}
        )
    return str(get_text_list(parts, _("and")))


def quantity_text(names: Iterable[str], size_bytes: int) -> str:
    """Return count, kinds and size, for example ``1 PDF file, totalling 2.00 kB``."""
    return _("%(file_count)s, totalling %(total_size)s") % {
        "file_count": count_by_format(names, conf.accepted_file_formats()),
        "total_size": size_text(size_bytes),
    }
