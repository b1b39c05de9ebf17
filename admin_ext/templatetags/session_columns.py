"""What the list shows of a session, for templates."""

from django import template

from admin_ext import columns
from upload import quantities

register = template.Library()

register.filter("size_text", quantities.size_text)
register.filter("session_title", columns.title)
register.filter("status_badge", columns.status_badge)
