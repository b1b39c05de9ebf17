"""The form in which a sender says what the files of a session are."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from upload.models import InProgressSubmission
from upload.submitting import Description

MOST = 255


class DescriptionForm(forms.Form):
    """Title, source and extent, as the models have room for."""

    title = forms.CharField(label=_("Title"), max_length=MOST)
    source = forms.CharField(
        label=_("Source"),
        max_length=MOST,
        required=False,
        help_text=_("Who made or kept the files, for example an office."),
    )
    extent = forms.CharField(
        label=_("Extent"),
        max_length=MOST,
        required=False,
        help_text=_("How much it is, for example “3 boxes, 1998–2004”."),
    )

    def description(self) -> Description:
        return Description(**self.cleaned_data)


class ReuseForm(forms.Form):
    """Chooses among the person's drafts that lost their session."""

    draft: Any = forms.ModelChoiceField(
        queryset=InProgressSubmission.objects.none(),
        to_field_name="uuid",
        label=_("Description of an earlier session"),
    )

    def __init__(self, data: Any, *, choices: Any) -> None:
        super().__init__(data)
        self.fields["draft"].queryset = choices  # type: ignore[attr-defined]


class SubmitForm(forms.Form):
    complete = forms.BooleanField(
        label=_("All files are here, and the description is right.")
    )
