"""What a session holds, as the seed document's reading methods promise it.

These ask the storage whether each file exists, so lists and reports never call them.
"""

from typing import Any

from django.utils.translation import gettext as _

from upload import conf, quantities
from upload.errors import IllegalTransition
from upload.policy import words
from upload.states import MOVING, SessionStatus

_S = SessionStatus


def _require(session: Any, asked: str, allowed: frozenset[SessionStatus]) -> None:
    if session.status not in allowed:
        raise IllegalTransition(
            session=str(session.uuid),
            found=str(SessionStatus(session.status).label),
            asked=asked,
            allowed=words(allowed),
        )


def existing(session: Any) -> list[Any]:
    """Return all files whose bytes exist; none where the session is expired."""
    if session.status == _S.EXPIRED:
        return []
    _require(session, _("count its files"), frozenset(_S) - MOVING)
    return _that_exist(session.tempuploadedfile_set) + _that_exist(
        session.permuploadedfile_set
    )


def _that_exist(rows: Any) -> list[Any]:
    return [file for file in rows.all() if file.exists]


def temporary(session: Any) -> list[Any]:
    """Return the temporary files that exist."""
    if session.status in {_S.CREATED, _S.STORED}:
        return []
    allowed = frozenset({_S.CREATED, _S.UPLOADING, _S.STORED, _S.COPYING_FAILED})
    _require(session, _("list its temporary files"), allowed)
    return _that_exist(session.tempuploadedfile_set)


def permanent(session: Any) -> list[Any]:
    """Return the permanent files that exist."""
    if session.status in {_S.CREATED, _S.UPLOADING}:
        return []
    allowed = frozenset({_S.CREATED, _S.UPLOADING, _S.STORED, _S.COPYING_FAILED})
    _require(session, _("list its permanent files"), allowed)
    return _that_exist(session.permuploadedfile_set)


def uploads(session: Any) -> list[Any]:
    """Return temporary files when UPLOADING, permanent when STORED, else none."""
    allowed = frozenset({_S.CREATED, _S.UPLOADING, _S.STORED})
    _require(session, _("list its files"), allowed)
    if session.status == _S.UPLOADING:
        return temporary(session)
    return permanent(session)


def by_name(session: Any, name: str) -> Any:
    """Return the file called ``name``; ``FileNotFoundError`` where there is none."""
    allowed = frozenset({_S.UPLOADING, _S.STORED})
    _require(session, _("give a file by its name"), allowed)
    in_temp = session.status == _S.UPLOADING
    rows = session.tempuploadedfile_set if in_temp else session.permuploadedfile_set
    found = rows.filter(name=name).first()
    if found is None:
        raise FileNotFoundError(
            _("Session %(session)s has no file called “%(name)s”.")
            % {"session": session.uuid, "name": name}
        )
    return found


def quantity(session: Any) -> str:
    """Return count, kinds and size of the files in words."""
    if not conf.file_upload_enabled():
        return ""
    files = uploads(session)
    return quantities.quantity_text(
        [file.name for file in files], sum(file.size for file in files)
    )
