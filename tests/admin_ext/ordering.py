"""Bulk orders as a browser asks for them, and run as a worker runs them."""

from typing import Any

from django.urls import reverse

from tests.admin_ext.choosing import LIST
from upload import tasks
from upload.models import BulkOrder


def url(order: BulkOrder, page: str, *more: Any) -> str:
    return reverse(f"admin:upload_bulkorder_{page}", args=[order.pk, *more])


def chosen_by(client: Any, action: str = "expire_sessions") -> BulkOrder:
    """Choose every session across the pages; return the draft."""
    across = {"select_across": "1", "_selected_action": "0"}
    client.post(LIST, {"action": action, "index": "0", **across})
    return BulkOrder.objects.latest("pk")


def confirmed(client: Any, order: BulkOrder, **more: Any) -> Any:
    data = {"confirm": "1", "reason": "Sent twice", **more}
    return client.post(url(order, "preview"), data, follow=True)


def ran(order: BulkOrder) -> BulkOrder:
    order.refresh_from_db()
    while not order.has_ended and tasks.run_order(order.pk):
        order.refresh_from_db()
    return order
