"""People and roles: superusers give rights, nobody gives them to himself."""

from django.contrib.auth.models import Permission
from django.urls import reverse

from portal.models import User
from tests.admin_ext.pages import admin_url
from tests.people import ClientFor


def test_a_manager_of_people_cannot_give_rights(
    nobody: User, client_for: ClientFor
) -> None:
    nobody.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    form = {"username": "nobody", "is_superuser": "on", "is_staff": "on", "groups": []}

    answer = client_for(nobody).post(admin_url(User, "change", nobody.pk), form)

    nobody.refresh_from_db()
    assert (answer.status_code, nobody.is_superuser) == (302, False)


def test_a_manager_of_people_does_not_touch_a_superuser(
    nobody: User, superuser: User, client_for: ClientFor
) -> None:
    nobody.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    client = client_for(nobody)

    statuses = [
        client.post(admin_url(User, "change", superuser.pk), {}).status_code,
        client.post(reverse("admin:auth_user_password_change", args=[superuser.pk])),
    ]

    assert [statuses[0], statuses[1].status_code] == [403, 403]


def test_a_superuser_makes_a_person(superuser: User, client_for: ClientFor) -> None:
    form = {
        "username": "ada",
        "usable_password": "true",
        "password1": "a-long-one-42",
        "password2": "a-long-one-42",
    }

    client_for(superuser).post(admin_url(User, "add"), form)

    assert User.objects.get(username="ada").check_password("a-long-one-42")
