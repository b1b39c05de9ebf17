"""The pages of destinations: who sees them, who probes, and that no secret shows."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from portal.models import User
from tests.admin_ext.pages import admin_url
from tests.make import make_destination
from tests.people import ClientFor
from upload.models import Destination

DURABLE = "upload.storage.DurableFileSystemStorage"


@pytest.fixture
def row(db: None, storages_in_tmp: Path) -> Destination:
    return make_destination(storages_in_tmp / "destinations" / "box", "<b>Box</b>")


def probe_url(row: Destination) -> str:
    return reverse("admin:upload_destination_probe", args=[row.pk])


def page_of(client: Any, row: Destination) -> str:
    return client.get(admin_url(Destination, "change", row.pk)).content.decode()


def test_the_button_probes_and_the_page_shows_what_was_found(
    row: Destination, superuser: User, client_for: ClientFor
) -> None:
    client = client_for(superuser)
    assert "never probed" in page_of(client, row)

    answer = client.post(probe_url(row), follow=True).content.decode()

    assert "takes copies; it answered within" in answer
    assert "Read back" in answer
    assert "&lt;b&gt;Box&lt;/b&gt;" in answer


def test_a_destination_that_is_gone_is_told_and_no_error(
    row: Destination, superuser: User, client_for: ClientFor
) -> None:
    shutil.rmtree(row.folder)

    answer = client_for(superuser).post(probe_url(row), follow=True)

    assert answer.status_code == 200
    assert "takes no copies now" in answer.content.decode()


def form_of(client: Any) -> Any:
    return client.get(admin_url(Destination, "add")).context["adminform"].form


def test_the_form_names_the_roots_and_the_aliases_that_are_allowed(
    superuser: User, client_for: ClientFor, settings: Any
) -> None:
    settings.DESTINATION_ROOTS = ["/srv/a", "/srv/<b>"]
    settings.DESTINATIONS = {"vault": {"BACKEND": DURABLE}}

    fields = form_of(client_for(superuser)).fields

    folder, alias = fields["folder"].help_text, fields["alias"].help_text
    assert "<code>/srv/a</code>, <code>/srv/&lt;b&gt;</code>" in folder
    assert "<code>vault</code>" in alias


def test_the_form_says_where_no_alias_and_no_folder_is_allowed(
    superuser: User, client_for: ClientFor, settings: Any
) -> None:
    settings.DESTINATION_ROOTS, settings.DESTINATIONS = [], {}

    fields = form_of(client_for(superuser)).fields

    assert "DESTINATION_ROOTS" in fields["folder"].help_text
    assert "DESTINATIONS" in fields["alias"].help_text


@pytest.mark.parametrize("person", ["auditor", "clerk", "manager", "nobody"])
def test_nobody_without_the_right_to_change_probes(
    person: str,
    row: Destination,
    request: pytest.FixtureRequest,
    client_for: ClientFor,
) -> None:
    client = client_for(request.getfixturevalue(person))

    assert client.post(probe_url(row)).status_code == 403

    action = {"action": "probe_destinations", "_selected_action": row.pk}
    client.post(admin_url(Destination, "changelist"), action)
    row.refresh_from_db()
    assert row.last_probed_at is None


def test_an_auditor_sees_the_result_and_no_button(
    row: Destination, auditor: User, client_for: ClientFor
) -> None:
    page = page_of(client_for(auditor), row)

    assert "never probed" in page
    assert "Probe now" not in page


def test_a_probe_is_no_get(
    row: Destination, superuser: User, client_for: ClientFor
) -> None:
    assert client_for(superuser).get(probe_url(row)).status_code == 405


def test_the_list_probes_what_is_chosen(
    row: Destination, superuser: User, client_for: ClientFor
) -> None:
    url = admin_url(Destination, "changelist")
    action = {"action": "probe_destinations", "_selected_action": row.pk}

    page = client_for(superuser).post(url, action, follow=True).content.decode()

    row.refresh_from_db()
    assert row.last_probe["ok"] is True
    assert "takes copies" in page


@pytest.mark.usefixtures("storages_in_tmp")
def test_a_form_offers_the_aliases_and_shows_no_option(
    settings: Any, tmp_path: Path, superuser: User, client_for: ClientFor
) -> None:
    (tmp_path / "there").mkdir()
    options = {"location": str(tmp_path / "there")}
    settings.DESTINATIONS = {"box": {"BACKEND": DURABLE, "OPTIONS": options}}
    client, url = client_for(superuser), admin_url(Destination, "add")

    page = client.get(url).content.decode()
    form = {"name": "Box", "alias": "box", "layout": "bag", "enabled": "on"}
    client.post(url, form)

    assert '<option value="box">box</option>' in page
    assert options["location"] not in page
    assert Destination.objects.get().root == "alias:box"
