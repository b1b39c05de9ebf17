"""The list and the page of bulk orders: progress, what became of each session, cancel.

A draft has only its preview, and only for who drafted it. Cancel is a POST; the
figures, the sessions and the reports are GETs for whoever may see the order.
"""

import logging
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from admin_ext import columns, inlines, order_preview, order_texts
from admin_ext.read_only import ReadOnlyAdmin
from upload import order_plan, order_report, orders
from upload.errors import MunimentError, NotPermitted
from upload.models import BulkOrder, Job
from upload.states import OrderOutcome

logger = logging.getLogger(__name__)

ITEMS_PER_PAGE = 100
FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@admin.register(BulkOrder)
class BulkOrderAdmin(ReadOnlyAdmin):
    list_display = ("verb_and_uuid", "state_badge", "sessions", "requester_name", "at")
    list_per_page = 50
    list_fullwidth = True
    ordering = ("-created_at", "-pk")
    fields = ("uuid",)
    change_form_template = "admin_ext/order_page.html"

    @admin.display(description=gettext_lazy("Bulk order"), ordering="verb")
    def verb_and_uuid(self, order: BulkOrder) -> str:
        return f"{order.get_verb_display()} {str(order.uuid)[:8]}"

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_badge(self, order: BulkOrder) -> str:
        return columns.order_badge(order)

    @admin.display(description=gettext_lazy("Sessions"), ordering="sessions_total")
    def sessions(self, order: BulkOrder) -> str:
        return number_format(order.sessions_total)

    @admin.display(description=gettext_lazy("Asked"), ordering="created_at")
    def at(self, order: BulkOrder) -> str:
        return columns.moment(order.confirmed_at or order.created_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkOrder]:
        orders_of: Any = BulkOrder.objects
        seen: QuerySet[BulkOrder] = orders_of.visible_to(request.user)
        return seen.select_related("destination")

    def has_view_permission(
        self, request: HttpRequest, obj: BulkOrder | None = None
    ) -> bool:
        return bool(request.user.has_perm("upload.view_bulkorder"))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(f"<int:pk>/{route}/", wrap(view), name=f"upload_bulkorder_{name}")
            for route, view, name in (
                ("preview", self.preview_view, "preview"),
                ("progress", self.progress_view, "progress"),
                ("items", self.items_view, "items"),
                ("report/<slug:form>", self.report_view, "report"),
                ("cancel", self.cancel_view, "cancel"),
            )
        ] + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order is not None and order.is_draft and self.has_view_permission(request):
            return redirect(order_preview.preview_url(order))
        response: HttpResponse = super().change_view(
            request, object_id, *args, **kwargs
        )
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if order := kwargs.get("obj"):
            context |= page_context(request, order)
        return super().render_change_form(request, context, *args, **kwargs)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Preview a draft by GET; let it run where that is confirmed by POST."""
        order = self._visible(request, pk)
        if not order.is_draft:
            return redirect(order_preview.page_url(order))
        return order_preview.view(request, order)

    # admin_view makes sure that no cache keeps any of these.
    @method_decorator(require_safe)
    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return JsonResponse(order_texts.figures(self._visible(request, pk)))

    @method_decorator(require_safe)
    def items_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the part of the page that lists the sessions."""
        context = items_context(request, self._visible(request, pk))
        return render(request, "admin_ext/order/items.html", context)

    @method_decorator(require_safe)
    def report_view(
        self, request: HttpRequest, pk: int, form: str
    ) -> StreamingHttpResponse:
        if form not in FORMS:
            raise Http404
        order = self._visible(request, pk)
        logger.info("upload.order.reported by %s: %s, %s", request.user.pk, pk, form)
        pieces = order_report.as_csv if form == "csv" else order_report.as_json
        name = f'attachment; filename="order-{order.uuid}.{form}"'
        return StreamingHttpResponse(
            pieces(order),
            content_type=FORMS[form],
            headers={"Content-Disposition": name},
        )

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the order to stop, by POST, and go to its page."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        order = self._visible(request, pk)
        try:
            orders.cancel(order, request.user)
            messages.success(request, _("The bulk order was asked to stop."))
        except NotPermitted as error:
            raise PermissionDenied from error
        except MunimentError as error:
            messages.error(request, str(error))
        return redirect(order_preview.page_url(order))

    def _visible(self, request: HttpRequest, pk: int) -> BulkOrder:
        if not self.has_view_permission(request):
            raise PermissionDenied
        order: BulkOrder | None = self.get_object(request, str(pk))
        if order is None:
            raise Http404
        return order


def page_context(request: HttpRequest, order: BulkOrder) -> dict[str, Any]:
    """Return all that the template shows; the number of queries is constant."""
    names = {"progress_url": "progress", "items_url": "items", "cancel_url": "cancel"}
    urls = {
        key: reverse(f"admin:upload_bulkorder_{name}", args=[order.pk])
        for key, name in names.items()
    }
    return {
        "figures": order_texts.figures(order),
        "may_cancel": orders.can_stop(order) and orders.may_cancel(order, request.user),
        "list_url": order_preview.list_url(order),
        "report_forms": FORMS,
        **urls,
        **items_context(request, order),
    }


def items_context(request: HttpRequest, order: BulkOrder) -> dict[str, Any]:
    counts = order_plan.outcome_counts(order)
    outcome = inlines.outcome_of(request, OrderOutcome)
    page = inlines.items_of(request, order.item_set, outcome, ITEMS_PER_PAGE)
    jobs = Job.objects.in_bulk(
        [item.job_uuid for item in page.rows if item.job_uuid], field_name="uuid"
    )
    for item in page.rows:
        item.job = jobs.get(item.job_uuid)
        item.why = order_plan.reason_shown(order, item)
    return {
        "order": order,
        "outcomes": [(o, counts[o]) for o in OrderOutcome if o in counts],
        "outcome": outcome,
        "items": page,
    }
