"""Who may open a file's bytes, and the log of who did.

A file is found by its uuid, temporary or permanent, or by its storage key. What the
person may not see is as good as missing: the same error, found after the same queries.
"""

import logging
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from upload import names, policy
from upload.errors import NotFound, NotPermitted, SourceMissing, UnsafePath
from upload.models import AccessLog, PermUploadedFile, TempUploadedFile
from upload.states import SessionStatus

logger = logging.getLogger(__name__)

ROWS: dict[str, Any] = {"temp": TempUploadedFile, "uploaded": PermUploadedFile}


def find(user: Any, uuid: UUID) -> Any:
    """Return the file that ``user`` may open; raise ``NotFound``, ``NotPermitted``."""
    found = [_first(model, uuid=uuid) for model in ROWS.values()]
    return _opened(user, next((file for file in found if file is not None), None))


def find_by_key(user: Any, alias: str, key: str) -> Any:
    """Return the file under a storage key; see ``find``."""
    return _opened(user, _first(ROWS[alias], file_upload=key))


def _first(model: Any, **which: Any) -> Any:
    return model.objects.select_related("session").filter(**which).first()


def is_stored(file: Any) -> bool:
    return isinstance(file, PermUploadedFile)


def _opened(user: Any, file: Any) -> Any:
    if file is None or not policy.may_view(user, file.session):
        raise NotFound(_("There is no such file, or it is not yours to see."))
    if file.session.status == SessionStatus.EXPIRED:
        raise NotFound(_("There is no such file, or it is not yours to see."))
    if not policy.may_download(user, file.session, stored=is_stored(file)):
        raise NotPermitted(
            _("%(actor)s may see that “%(name)s” is here, but not open it.")
            % {"actor": user, "name": file.name}
        )
    return file


def require_bytes(file: Any) -> None:
    """Raise ``SourceMissing``, and log it, where the bytes are gone or not as many."""
    storage, key = file.file_upload.storage, file.file_upload.name
    try:
        if key and storage.size(key) == file.size:
            return
    except (FileNotFoundError, NotADirectoryError, UnsafePath):
        pass
    logger.error(
        "The bytes of file %s (%s) of session %s are missing or damaged.",
        file.uuid,
        names.printable(file.name),
        file.session.uuid,
    )
    raise SourceMissing(
        _(
            "“%(name)s” is on record, but its bytes are missing from the storage or "
            "are not the %(size)d bytes that were received."
        )
        % {"name": file.name, "size": file.size}
    )


def log(user: Any, file: Any, action: str) -> None:
    """Note that ``user`` opened the file; ``action`` is "view" or "download"."""
    AccessLog.objects.create(
        session=file.session,
        session_uuid=file.session.uuid,
        file_uuid=file.uuid,
        name=file.name,
        user=user,
        user_name=user.get_username(),
        action=action,
    )
