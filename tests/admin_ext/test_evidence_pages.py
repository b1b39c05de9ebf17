"""Lists of files, events and accesses: searched without errors and without leaks."""

from typing import Any

import pytest
from django.utils import translation

from admin_ext.event_words import event_words
from portal.models import User
from tests.admin_ext.pages import admin_url
from tests.make import make_session
from tests.people import ClientFor
from upload import events
from upload.models import (
    AccessLog,
    FileCopy,
    Job,
    PermUploadedFile,
    SessionEvent,
    Submission,
    TempUploadedFile,
)
from upload.states import SessionStatus

S = SessionStatus


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (TempUploadedFile, "session__token__startswith"),
        (PermUploadedFile, "session__user__password__startswith"),
        (SessionEvent, "session__token"),
        (Submission, "upload_session__token__startswith"),
        (User, "password__startswith"),
        (Job, "session__token__startswith"),
    ],
)
def test_no_list_tells_secrets_by_its_query_string(
    model: Any, lookup: str, superuser: User, client_for: ClientFor
) -> None:
    client = client_for(superuser)

    answer = client.get(admin_url(model, "changelist"), {lookup: "a"})

    # Django refuses the lookup with 400, or shows the list unfiltered with ?e=1.
    assert answer.status_code in {400, 302}


@pytest.mark.parametrize("phrase", ["", "zz", "9" * 10_000, "a\x00b", "%", "' OR 1=1"])
@pytest.mark.parametrize("model", [TempUploadedFile, SessionEvent, FileCopy, AccessLog])
def test_no_search_is_an_error(
    model: Any, phrase: str, auditor: User, client_for: ClientFor
) -> None:
    answer = client_for(auditor).get(admin_url(model, "changelist"), {"q": phrase})

    assert answer.status_code == 200


def test_evidence_is_found_by_the_uuid_of_its_session(
    auditor: User, client_for: ClientFor
) -> None:
    wanted, other = make_session(S.UPLOADING), make_session(S.UPLOADING)

    page = client_for(auditor).get(
        admin_url(SessionEvent, "changelist"), {"q": str(wanted.uuid)}
    )

    found = {event.session_id for event in page.context["cl"].result_list}
    assert found == {wanted.pk}
    assert other.pk not in found


def test_an_event_is_shown_escaped(auditor: User, client_for: ClientFor) -> None:
    session = make_session()
    cause = events.Cause(reason="<b>x</b>", detail={"name": "\u202e<i>"})
    event = events.record(session, "odd_thing", "test", cause)

    page = client_for(auditor).get(admin_url(SessionEvent, "change", event.pk))

    text = page.content.decode()
    assert "Odd thing" in text
    assert "&lt;b&gt;x" in text
    assert "[U+202E]&lt;i&gt;" in text


def test_the_title_of_a_file_shows_hidden_characters(
    auditor: User, client_for: ClientFor
) -> None:
    file = make_session(S.UPLOADING).tempuploadedfile_set.first()
    TempUploadedFile.objects.filter(pk=file.pk).update(name="\u202efdp.exe")

    page = client_for(auditor).get(admin_url(TempUploadedFile, "change", file.pk))

    assert "\u202e" not in page.content.decode()
    assert "[U+202E]fdp.exe" in page.content.decode()


@pytest.mark.parametrize("page", ["change", "history"])
def test_the_head_of_an_event_tells_it_in_the_language_of_the_page(
    page: str, auditor: User, client_for: ClientFor
) -> None:
    event = events.record(make_session(), "expired", "test", events.Cause())
    auditor.language = "ja"
    auditor.save()

    with translation.override(translation.get_language()):
        answer = client_for(auditor).get(admin_url(SessionEvent, page, event.pk))

    with translation.override("ja"):
        words = event_words(event.code)
    text = answer.content.decode()
    head = text[text.index("<h1") : text.index("</h1>")]
    assert words in head and words in text[: text.index("</title>")]
    assert "pload.session" not in head
