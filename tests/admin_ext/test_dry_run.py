"""Trying a copy on its preview page: what it says, and that it does nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.admin_ext.choosing import choose, facts
from tests.make import make_destination, make_session
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus


def tried(client: Any, session: Any, **answer: Any) -> Any:
    return choose(client, "copy_sessions", session, **{"try": "1"}, **answer)


def test_a_try_shows_what_would_be_written_and_changes_nothing(
    clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    session = make_session(S.STORED, {"a:b.txt": b"alpha"})
    archive = make_destination(storages_in_tmp / "destinations" / "one")
    before = facts()

    page = tried(client_for(clerk), session, destination=archive.pk).content.decode()

    assert "It fits at “Archive”. Nothing was written." in page
    assert "a:b.txt" in page and f"{session.uuid}/a%3Ab.txt" in page
    assert 'name="confirm"' in page
    assert facts() == before


def test_a_try_shows_why_a_copy_could_not_start(
    clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    archive = make_destination(storages_in_tmp / "destinations" / "one")
    Path(archive.folder).rename(storages_in_tmp / "gone")

    response = tried(client_for(clerk), make_session(S.STORED), destination=archive.pk)

    assert "is missing. Create or mount it" in response.content.decode()


def test_a_try_asks_for_a_destination(clerk: Any, client_for: Any) -> None:
    response = tried(client_for(clerk), make_session(S.STORED))

    assert "destination" in response.context["form"].errors
    assert response.context["dry_run"] is None


def test_only_a_copy_can_be_tried(clerk: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)

    response = choose(client_for(clerk), "store_sessions", session, **{"try": "1"})

    assert 'name="try"' not in response.content.decode()
    assert response.context["dry_run"] is None


def test_who_may_not_copy_may_not_try(
    auditor: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    archive = make_destination(storages_in_tmp / "destinations" / "one")

    response = tried(
        client_for(auditor), make_session(S.STORED), destination=archive.pk
    )

    assert response.status_code == 403
