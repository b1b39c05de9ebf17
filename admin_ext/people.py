"""People and groups, in the look of the rest of the admin."""

from typing import Any

# Registers Group first: it is taken over here.
import django.contrib.auth.admin  # noqa: F401
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
# Rights that are used on the pages for senders; every other one is for the admin.
SENDERS_RIGHTS = {"view_own_uploadsession", "upload_own_uploadsession"}

admin.site.unregister(Group)


@admin.register(get_user_model())
class PersonAdmin(BaseUserAdmin, ModelAdmin):
    """Rights are given by superusers: others could give themselves any of them."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "full_name", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            _("Person"),
            {"fields": ("first_name", "last_name", "email", "language")},
        ),
        (_("Rights"), {"fields": ("is_active", *RIGHTS)}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description=_("Name"), ordering="last_name", empty_value="-")
    def full_name(self, person: Any) -> str:
        return str(person.get_full_name())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, *RIGHTS)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: Any
    ) -> None:
        super().save_related(request, form, formsets, change)
        open_the_admin(request, form)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_touch(request, obj) and super().has_delete_permission(request, obj)


def open_the_admin(request: HttpRequest, form: Any) -> None:
    """Let in whoever was given a role of the admin's, and tell it.

    Where the form itself took the staff status away, it stays away: only that is told.
    """
    person = form.instance
    if person.is_staff or not person.is_active or not works_in_the_admin(person):
        return
    if "is_staff" in form.changed_data:
        told = gettext(
            "%(person)s cannot open the admin: their role is of use there alone, but "
            "“Staff status” was switched off."
        )
        messages.warning(request, told % {"person": person})
    elif "groups" in form.changed_data or "user_permissions" in form.changed_data:
        person.is_staff = True
        person.save(update_fields=["is_staff"])
        told = gettext(
            "“Staff status” was switched on, so that %(person)s can open the admin, "
            "where the role is of use."
        )
        messages.info(request, told % {"person": person})


def works_in_the_admin(person: Any) -> bool:
    """Return whether any right of the person is of use in the admin alone."""
    names = {name.partition(".")[2] for name in person.get_all_permissions()}
    return bool(names - SENDERS_RIGHTS)


def may_touch(request: HttpRequest, person: Any) -> bool:
    """Return whether the person is not above whoever asks."""
    return bool(request.user.is_superuser or person is None or not person.is_superuser)


@admin.register(Group)
class RoleAdmin(BaseGroupAdmin, ModelAdmin):
    """A group is rights, so only superusers change one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)
