"""The fields that filters are made of: sizes, days and search phrases.

Each refuses what it does not understand, and nothing it lets through can make a query
fail.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
)
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import CharFilter, DateFilter

# LIKE patterns of SQLite end at 50,000 bytes; nobody types so much.
MAX_SEARCH_LENGTH = 200
# Leaves room for a day and a time zone at both ends of what datetime can hold.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9998, 12, 31)
UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
MAX_BYTES = 2**63 - 1


class SizeField(forms.CharField):
    """Cleans "1500", "20 MB" or "1,5 Go" (1 kB is 1000 B) to bytes, or None."""

    pattern = re.compile(
        r"(\d{1,18}(?:[.,]\d{1,9})?)[\s\xa0\u202f]*([kmgt]?[bo]?)", re.I | re.A
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, **kwargs)
        self.widget.attrs["placeholder"] = gettext_lazy("20 MB")

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        found = self.pattern.fullmatch(text)
        unit = found[2].lower().rstrip("bo") if found else ""
        factor = UNITS[f"{unit}b"]
        size = int(float(found[1].replace(",", ".")) * factor) if found else -1
        if not 0 <= size <= MAX_BYTES:
            raise forms.ValidationError(
                _("“%(text)s” is no size. Write bytes, or for example “20 MB”."),
                params={"text": text},
            )
        return size


class SizeFilter(CharFilter):  # type: ignore[misc]
    field_class = SizeField


class DayFilter(DateFilter):  # type: ignore[misc]
    """A day of the current time zone, always as YYYY-MM-DD."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
            **kwargs,
        )


class FromDay(DayFilter):
    """Keep what is not before the day."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return qs
        return qs.filter(**{f"{self.field_name}__gte": start_of(value)})


class ToDay(DayFilter):
    """Keep what is not after the day; the day itself belongs to it."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return qs
        end = start_of(value + timedelta(days=1))
        return qs.filter(**{f"{self.field_name}__lt": end})


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class SearchFilter(CharFilter):  # type: ignore[misc]
    """A phrase; NUL is refused by the field itself."""

    def __init__(self, **kwargs: Any) -> None:
        limit = MaxLengthValidator(MAX_SEARCH_LENGTH)
        super().__init__(label=gettext_lazy("Search"), validators=[limit], **kwargs)
