"""``/upload-session/<uuid>/files/known/``: which of the named files a session has.

For the upload page, which asks of the files that were chosen instead of listing all
that a large session holds. It changes nothing, and is a POST only because the paths of
a folder's files are too long for an address.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any, TypeGuard
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from upload import names, tus
from upload.errors import BodyRefused, NameRefused
from upload.models import UploadSession
from upload.states import SessionStatus
from upload.upload_handlers import LeaveUnread
from upload.views.doors import endpoint, protected, require_person, visible_session

MOST_PATHS = 500
ASKED_AT_ONCE = 500  # a statement of SQLite takes some thousands of values


def _known(request: HttpRequest, uuid: UUID) -> HttpResponse:
    session = visible_session(require_person(request), uuid)
    request.upload_handlers = [LeaveUnread(request)]
    return protected(lambda request: _told(session, _paths(request)), request)


def _paths(request: HttpRequest) -> list[str]:
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        told = None
    paths = told.get("paths") if isinstance(told, dict) else None
    if not _are_paths(paths):
        raise BodyRefused(
            _("The body has to be JSON with “paths”, a list of at most %(most)d texts.")
            % {"most": MOST_PATHS}
        )
    return paths


def _are_paths(paths: Any) -> TypeGuard[list[str]]:
    is_list = isinstance(paths, list) and len(paths) <= MOST_PATHS
    return is_list and all(isinstance(path, str) for path in paths)


def _told(session: UploadSession, paths: list[str]) -> HttpResponse:
    return JsonResponse({"results": list(_found(session, paths))})


def _found(session: UploadSession, paths: list[str]) -> Iterator[dict[str, Any]]:
    """Tell of each file that was sent by one of the paths, under the path as asked."""
    if session.status == SessionStatus.EXPIRED:
        return
    asked = _cleaned(paths)
    bare = [path for path in asked if "/" not in path]
    wanted = Q(relative_path="", original_name__in=bare)
    wanted |= Q(relative_path__in=asked.keys() - {*bare})
    temporary = session.tempuploadedfile_set.filter(wanted)
    stored = session.permuploadedfile_set.filter(wanted)
    rows = [(row, False) for row in temporary] + [(row, True) for row in stored]
    times = _times(session, (row.uuid for row, _stored in rows))
    for row, is_stored in rows:
        for path in asked[row.relative_path or row.original_name]:
            yield {
                "path": path,
                "uuid": str(row.uuid),
                "name": row.name,
                "size_bytes": row.size,
                "sha256": row.sha256,
                "last_modified": times.get(row.uuid, ""),
                "stored": is_stored,
            }


def _cleaned(paths: list[str]) -> dict[str, list[str]]:
    """Return by each path as a row would hold it what was asked; no bad ones."""
    asked: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        try:
            clean = names.clean_relative_path(path) or names.clean_display_name(path)
        except NameRefused:
            continue
        asked.setdefault(clean, []).append(path)
    return asked


def _times(session: UploadSession, uuids: Iterable[UUID]) -> dict[UUID, str]:
    """Return when the sender's files were changed, where their uploads told it."""
    begun = session.unfinishedupload_set.values_list("uuid", "metadata")
    return {
        uuid: tus.metadata(told).get("last_modified", "")
        for some in batched(uuids, ASKED_AT_ONCE)
        for uuid, told in begun.filter(uuid__in=some)
    }


known = endpoint(POST=_known)
