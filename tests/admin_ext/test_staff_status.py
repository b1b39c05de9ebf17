"""Who is given a role of the admin's can open the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from fixtures.roles import ROLES, UPLOADERS
from portal.models import User
from tests.admin_ext.choosing import texts
from tests.admin_ext.pages import admin_url
from tests.people import ClientFor, make_person

STAFF_ROLES = [role for role in ROLES if role != UPLOADERS]
pytestmark = pytest.mark.django_db


@pytest.fixture
def save(superuser: User, client_for: ClientFor) -> Any:
    """Return a function that saves a person's page and gives the page after."""

    def post(person: User, *roles: str, **more: str) -> Any:
        groups = [Group.objects.get(name=role).pk for role in roles]
        form = {"username": person.username, "is_active": "on", "groups": groups}
        url = admin_url(User, "change", person.pk)
        page = client_for(superuser).post(url, form | more, follow=True)
        person.refresh_from_db()
        return page

    return post


@pytest.fixture
def ada(uploader: User) -> User:
    """A sender, whose making has loaded the roles."""
    return make_person("ada", is_staff=False)


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_a_role_of_the_admin_opens_the_admin(
    save: Any, client_for: ClientFor, ada: User, role: str
) -> None:
    page = save(ada, role)

    assert "“Staff status” was switched on" in texts(page)
    assert client_for(ada).get("/admin/").status_code == 200


def test_a_senders_role_opens_no_admin(save: Any, ada: User) -> None:
    page = save(ada, UPLOADERS)

    assert (ada.is_staff, "Staff status" in texts(page)) == (False, False)


def test_who_takes_the_staff_status_away_is_told_and_obeyed(
    save: Any, clerk: User
) -> None:
    page = save(clerk, "Records staff")

    assert clerk.is_staff is False
    assert "cannot open the admin" in texts(page)


def test_a_person_who_is_not_active_is_not_let_in(save: Any, ada: User) -> None:
    save(ada, "Managers", is_active="")

    assert ada.is_staff is False


def test_saving_other_facts_lets_nobody_in(save: Any, ada: User) -> None:
    ada.groups.set([Group.objects.get(name="Managers")])

    save(ada, "Managers", first_name="Ada")

    assert ada.is_staff is False


def test_who_may_not_give_roles_opens_the_admin_to_nobody(
    nobody: User, ada: User, client_for: ClientFor
) -> None:
    form = {"username": "ada", "is_active": "on", "groups": [Group.objects.first().pk]}

    answer = client_for(nobody).post(admin_url(User, "change", ada.pk), form)

    ada.refresh_from_db()
    assert (answer.status_code, ada.is_staff) == (403, False)
