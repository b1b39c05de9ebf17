"""Renew a session's token: the old one stops working at once.

The token is a credential, so neither the old nor the new one stands in the event.
"""

from typing import Any

from django.db import transaction

from upload import events, policy
from upload.events import Cause
from upload.states import Verb


def renew(session: Any, actor: Any) -> None:
    """Give an open session a fresh token and bring the instance up to date.

    Raise ``NotPermitted``, or ``IllegalTransition`` where the session takes no uploads.
    """
    policy.require_right(actor, Verb.UPLOAD, session)
    with transaction.atomic():
        locked = type(session).objects.select_for_update().get(pk=session.pk)
        policy.require_state(Verb.UPLOAD, locked)
        locked.token = session._meta.get_field("token").get_default()
        locked.save(update_fields=["token"])
        events.record(locked, "token_renewed", "modification", Cause(actor=actor))
    session.token = locked.token
