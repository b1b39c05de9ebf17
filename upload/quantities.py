"""Counts and sizes in the words of the active language."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from upload import conf
from upload.names import real_extension

UNITS = (
    gettext_lazy("%(size)s kB"),
    gettext_lazy("%(size)s MB"),
    gettext_lazy("%(size)s GB"),
    gettext_lazy("%(size)s TB"),
    gettext_lazy("%(size)s PB"),
)
OTHER = ""


def size_text(size_bytes: int) -> str:
    """Return for example ``1.23 MB``: base 1000, two decimals, none for bytes."""
    if size_bytes < 1000:
        return _("%(size)s B") % {"size": number_format(size_bytes)}
    power = 1
    while power < len(UNITS) and _in_unit(size_bytes, power) >= 1000:
        power += 1
    size = number_format(_in_unit(size_bytes, power), decimal_pos=2)
    return str(UNITS[power - 1] % {"size": size})


def _in_unit(size_bytes: int, power: int) -> Decimal:
    # Rounded here, because number_format cuts: 999,999 bytes are 1.00 MB.
    return round(Decimal(size_bytes) / 1000**power, 2)


def count_by_format(names: Iterable[str], formats: Mapping[str, list[str]]) -> str:
    """Return for example ``2 PDF files, 1 Image file and 1 other file``.

    Groups stand in the order of ``formats``, which maps each to its extensions.
    """
    group_of = {end.lower(): group for group, ends in formats.items() for end in ends}
    counts = Counter(group_of.get(real_extension(name), OTHER) for name in names)
    if not counts:
        return _("0 files")
    parts = [_of_group(group, counts[group]) for group in formats if counts[group]]
    if counts[OTHER]:
        parts.append(_others(counts[OTHER]))
    return get_text_list(parts, pgettext("between the last two of a list", "and"))


def _of_group(group: str, count: int) -> str:
    words = ngettext("%(count)d %(group)s file", "%(count)d %(group)s files", count)
    return words % {"count": count, "group": group}


def _others(count: int) -> str:
    words = ngettext("%(count)d other file", "%(count)d other files", count)
    return words % {"count": count}


def quantity_text(names: Iterable[str], size_bytes: int) -> str:
    """Return count, kinds and size, for example ``1 PDF file, totalling 2.00 kB``."""
    return _("%(file_count)s, totalling %(total_size)s") % {
        "file_count": count_by_format(names, conf.accepted_file_formats()),
        "total_size": size_text(size_bytes),
    }
