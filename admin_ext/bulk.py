"""The verbs as ordinary bulk actions of the session list.

Django chooses the rows; ``actions.preview_view`` does the rest for a few of them, a
bulk order for many. A posted action that
the person may not do is a 403, shown or not.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeListSearchForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from admin_ext import order_preview
from admin_ext.actions import preview_view
from admin_ext.verbs import BULK_VERBS, BulkVerb
from upload import orders
from upload.errors import NotPermitted
from upload.models import UploadSession
from upload.states import Verb

# So many are done while the person waits; more are a bulk order in the background.
MAX_DIRECT = 100

type Sessions = QuerySet[UploadSession]


def chosen_ids(request: HttpRequest) -> set[int]:
    """Return the ids that the list or the preview posted; what is no id is left out."""
    texts = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return {int(t) for t in texts if t.isascii() and t.isdigit() and len(t) < 19}


def bulk_action(row: BulkVerb) -> Callable[[Any, HttpRequest, Sessions], Any]:
    """Return the verb as an ordinary admin action."""

    def act(model_admin: Any, request: HttpRequest, queryset: Sessions) -> Any:
        return _run_bulk(model_admin, request, row, queryset)

    act.__name__ = row.action
    return admin.action(act, permissions=[row.verb.value], description=row.label)


def _run_bulk(
    model_admin: Any, request: HttpRequest, row: BulkVerb, queryset: Sessions
) -> HttpResponse | None:
    """Preview or do; sessions that left the filter meanwhile are still named.

    More than MAX_DIRECT become a bulk order, which has a preview of its own.
    """
    across = request.POST.get("select_across") == "1"
    ids = chosen_ids(request)
    if not across:
        queryset = model_admin.get_queryset(request).filter(pk__in=ids)
    some = queryset.order_by().values_list("pk")[: MAX_DIRECT + 1]
    count = len(some)
    if count > MAX_DIRECT:
        return _draft(request, row, queryset)
    missing = 0 if across else len(ids) - count
    back_url = request.get_full_path()
    return preview_view(request, row.verb, queryset, back_url, missing=missing)


def _draft(request: HttpRequest, row: BulkVerb, queryset: Sessions) -> HttpResponse:
    """Freeze the sessions and go to the preview of their order."""
    try:
        order = orders.draft(
            row.verb.value, queryset, request.user, request.GET.urlencode()
        )
    except NotPermitted as error:
        raise PermissionDenied from error
    return redirect(order_preview.preview_url(order))


def _asks(verb: Verb) -> Callable[[Any, HttpRequest], bool]:
    def has_permission(self: Any, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(BULK_VERBS[verb].permission))

    return has_permission


class SessionActions:
    """The bulk actions, as a mixin of the session's model admin."""

    actions = tuple(bulk_action(row) for row in BULK_VERBS.values())

    has_expire_permission = _asks(Verb.EXPIRE)
    has_store_permission = _asks(Verb.STORE)
    has_copy_permission = _asks(Verb.COPY)
    has_remove_permission = _asks(Verb.REMOVE)
    has_retry_permission = _asks(Verb.RETRY)
    has_verify_permission = _asks(Verb.VERIFY)
    has_hold_permission = _asks(Verb.HOLD)
    has_lift_permission = _asks(Verb.LIFT)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 403 where Django would say no more than "No action selected"."""
        refuse_hidden_action(request)
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def response_action(
        self, request: HttpRequest, queryset: Sessions
    ) -> HttpResponse | None:
        """Stop at ids that are no numbers, on which Django would fail."""
        if len(chosen_ids(request)) != len(
            set(request.POST.getlist(ACTION_CHECKBOX_NAME))
        ):
            refuse_selection(request)
            return None
        # Django would drop a search that it cannot read, and choose everything.
        if not ChangeListSearchForm(request.GET).is_valid():
            refuse_selection(request)
            return None
        return super().response_action(request, queryset)  # type: ignore[misc]


def refuse_selection(request: HttpRequest) -> None:
    """Tell that nothing was done."""
    messages.error(
        request,
        _("The selection could not be read. Nothing was done; select again."),
    )


def refuse_hidden_action(request: HttpRequest) -> None:
    """Raise ``PermissionDenied`` for a posted action that the person may not do."""
    if request.method != "POST":
        return
    asked = set(request.POST.getlist("action"))
    for row in BULK_VERBS.values():
        if row.action in asked and not request.user.has_perm(row.permission):
            raise PermissionDenied
