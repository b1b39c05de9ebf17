"""Bulk orders for tests of the core: asked for, run as a worker does, looked at."""

from typing import Any

from upload import order_plan, orders, tasks
from upload.models import BulkOrder, UploadSession
from upload.orders import Wish

ALL = UploadSession.objects.all


def ordered(verb: str, actor: Any, **wish: Any) -> BulkOrder:
    """Return a confirmed order on every session there is."""
    order = orders.draft(verb, ALL(), actor)
    orders.confirm(order, actor, Wish(**{"reason": "Sent twice", **wish}))
    return order


def ran(order: BulkOrder) -> BulkOrder:
    """Run slices until the order has ended or none is to be run now."""
    while not order.has_ended and tasks.run_order(order.pk):
        order.refresh_from_db()
    return order


def outcomes(order: BulkOrder) -> list[str]:
    """Return what became of each session, in the order of the plan."""
    rows = order.item_set.order_by("pk")
    return list(rows.values_list("outcome", flat=True))


def reasons(order: BulkOrder) -> list[str]:
    return [order_plan.reason_of(order, i) for i in order.item_set.order_by("pk")]
