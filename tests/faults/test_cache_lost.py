"""A cache that is poisoned, flushed or down changes nothing: the rows are the truth."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.base import BaseCache

from tests.make import make_destination, make_session, run
from tests.people import ClientFor
from upload import jobs
from upload.models import UploadSession
from upload.states import JobKind, JobState, SessionStatus


class CacheThatIsDown(BaseCache):
    """Fails whatever it is asked."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def __getattribute__(self, name: str) -> Any:
        if name in {"get", "set", "add", "delete", "incr", "touch", "get_many"}:
            raise ConnectionError("The cache is down.")
        return super().__getattribute__(name)


@pytest.fixture(autouse=True)
def cache_is_down(settings: Any) -> None:
    backend = f"{__name__}.{CacheThatIsDown.__name__}"
    settings.CACHES = {"default": {"BACKEND": backend}}


@pytest.mark.django_db(transaction=True)
def test_a_session_goes_its_whole_way_without_a_cache(
    clerk: Any, storages_in_tmp: Path
) -> None:
    session = make_session(SessionStatus.UPLOADING)
    archive = make_destination(storages_in_tmp / "destinations" / "archive")

    stored = run(jobs.request(session, JobKind.STORE, clerk))
    session = UploadSession.objects.get(pk=session.pk)
    copied = run(jobs.request(session, JobKind.COPY, clerk, destination=archive))

    assert (stored.state, copied.state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page", ["/admin/", "/admin/upload/uploadsession/", "/upload-session/", "/healthz"]
)
def test_pages_are_answered_without_a_cache(
    page: str, clerk: Any, client_for: ClientFor
) -> None:
    make_session(SessionStatus.UPLOADING)

    assert client_for(clerk).get(page).status_code == 200
