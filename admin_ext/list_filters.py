"""List filters made from a FilterSet, so that the admin filters as exports do.

``filterset_list_filters`` gives one ListFilter for each field of the FilterSet, under
the same name in the query string. A bad value is told in a message and the list is
shown without filters: it never filters silently by something else.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django_filters import FilterSet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)


class FilterSetListFilter(admin.ListFilter):
    """One field of ``filterset_class``; subclasses name it in ``parameter_name``."""

    filterset_class: type[FilterSet]
    parameter_name: str  # Unfold reads it to place the filter
    template = "unfold/filters/filters_field.html"

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: admin.ModelAdmin,
    ) -> None:
        name = self.parameter_name
        self.title = self.filterset_class.base_filters[name].label
        super().__init__(request, params, model, model_admin)  # type: ignore[arg-type]
        if name in params:
            self.used_parameters[name] = params.pop(name)  # type: ignore[assignment]
        self.filterset = self.filterset_class(self._data(), model._default_manager)
        self._refuse_bad_value(request)

    def _data(self) -> QueryDict:
        data = QueryDict(mutable=True)
        if values := self.used_parameters.get(self.parameter_name):
            data.setlist(self.parameter_name, list(values))  # type: ignore[arg-type]
        return data

    def _refuse_bad_value(self, request: HttpRequest) -> None:
        for problems in self.filterset.form.errors.values():
            text = _("The filter “%(name)s” was not used: %(problem)s")
            messages.error(
                request, text % {"name": self.title, "problem": " ".join(problems)}
            )
            raise IncorrectLookupParameters(self.parameter_name)

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        if not self.used_parameters:
            return None
        value = self.filterset.form.cleaned_data[self.parameter_name]
        filtered: QuerySet[Any] = self.filterset.filters[self.parameter_name].filter(
            queryset, value
        )
        return filtered

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Give Unfold's template the form with this one field."""
        form = self.filterset.form
        field = dress(form.fields[self.parameter_name])
        form.fields = {self.parameter_name: field}
        yield {"form": form}


def dress(field: forms.Field) -> forms.Field:
    """Give the field the widget of the admin's look; return it."""
    attrs = dict(field.widget.attrs)
    if isinstance(field, forms.MultipleChoiceField):
        field.widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=field.choices)
    elif isinstance(field, forms.ChoiceField):
        field.widget = UnfoldAdminSelectWidget(choices=field.choices)
    else:
        kind = getattr(field.widget, "input_type", "text")
        field.widget = UnfoldAdminTextInputWidget(attrs=attrs)
        field.widget.input_type = kind
    return field


def filterset_list_filters(
    filterset_class: type[FilterSet], exclude: tuple[str, ...] = ("q",)
) -> list[type[FilterSetListFilter]]:
    """Return one ListFilter for each field but ``exclude``, in their order."""
    return [
        type(
            f"{filterset_class.__name__}_{name}",
            (FilterSetListFilter,),
            {"filterset_class": _only(filterset_class, name), "parameter_name": name},
        )
        for name in filterset_class.base_filters
        if name not in exclude
    ]


def _only(filterset_class: type[FilterSet], name: str) -> type[FilterSet]:
    """Return the FilterSet with one field: each use of a FilterSet copies them all."""
    one: type[FilterSet] = type(filterset_class.__name__, (filterset_class,), {})
    one.base_filters = {name: filterset_class.base_filters[name]}
    return one
