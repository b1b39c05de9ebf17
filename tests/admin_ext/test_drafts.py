"""The button that makes a draft a submission, and who may not press it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.make import make_session
from upload.models import InProgressSubmission, Submission, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
BUTTON = "upload_inprogresssubmission_make_submission"


@pytest.fixture
def session(uploader: Any) -> UploadSession:
    return make_session(SessionStatus.UPLOADING, user=uploader)


@pytest.fixture
def draft(session: UploadSession, uploader: Any) -> InProgressSubmission:
    return InProgressSubmission.objects.create(
        title="Minutes", user=uploader, upload_session=session
    )


def press(client: Any, draft: InProgressSubmission, **changed: Any) -> Any:
    url = reverse("admin:upload_inprogresssubmission_change", args=[draft.pk])
    said = {"title": draft.title, "source": "Board", "extent": ""}
    said |= {"upload_session": draft.upload_session_id or "", BUTTON: "1"}
    return client.post(url, said | changed, follow=True)


def test_a_clerk_makes_a_draft_a_submission(
    client_for: Any, clerk: Any, uploader: Any, draft: InProgressSubmission
) -> None:
    page = press(client_for(clerk), draft, title="Minutes 1998")

    submission = Submission.objects.get()
    assert (submission.title, submission.source) == ("Minutes 1998", "Board")
    assert submission.user == uploader
    assert not InProgressSubmission.objects.exists()
    url = reverse("admin:upload_submission_change", args=[submission.pk])
    assert page.redirect_chain == [(url, 302)]
    event = submission.upload_session.event_set.get(code="upload.session.submitted")
    assert event.actor == clerk


def test_a_draft_without_a_session_stays_a_draft(
    client_for: Any, clerk: Any, draft: InProgressSubmission
) -> None:
    page = press(client_for(clerk), draft, upload_session="")

    assert "has no upload session" in page.content.decode()
    assert InProgressSubmission.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.parametrize("person", ["manager", "auditor"])
def test_who_may_not_submit_is_refused(
    request: Any, client_for: Any, draft: InProgressSubmission, person: str
) -> None:
    response = press(client_for(request.getfixturevalue(person)), draft)

    assert response.status_code == 403
    assert not Submission.objects.exists()


def test_who_may_only_change_drafts_sees_no_button_and_cannot_forge_it(
    client_for: Any, nobody: Any, draft: InProgressSubmission
) -> None:
    for codename in ("change_inprogresssubmission", "view_uploadsession"):
        nobody.user_permissions.add(Permission.objects.get(codename=codename))
    client = client_for(nobody)
    url = reverse("admin:upload_inprogresssubmission_change", args=[draft.pk])

    shown = client.get(url).content.decode()
    press(client, draft)

    assert BUTTON not in shown
    assert not Submission.objects.exists()
    assert InProgressSubmission.objects.exists()
