"""The people of the tests, one a role, and clients signed in as them.

``conftest`` makes these fixtures known to every test.
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from fixtures.roles import load_roles
from portal.models import User

ClientFor = Callable[[User], Client]


def make_person(username: str, *groups: str, is_staff: bool = True) -> User:
    """Return a person in the named groups, which are loaded where they are missing."""
    person = User.objects.create_user(username, password="pw", is_staff=is_staff)
    if groups:
        # A test that empties the tables takes the groups with it.
        if not Group.objects.filter(name__in=groups).exists():
            load_roles()
        person.groups.set([Group.objects.get(name=name) for name in groups])
    return person


@pytest.fixture
def clerk(db: None) -> User:
    return make_person("clerk", "Records staff")


@pytest.fixture
def manager(db: None) -> User:
    return make_person("manager", "Managers")


@pytest.fixture
def auditor(db: None) -> User:
    return make_person("auditor", "Auditors")


@pytest.fixture
def uploader(db: None) -> User:
    return make_person("uploader", "Uploaders", is_staff=False)


@pytest.fixture
def other_uploader(db: None) -> User:
    return make_person("other_uploader", "Uploaders", is_staff=False)


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("superuser", password="pw")


@pytest.fixture
def nobody(db: None) -> User:
    """A person who may open the admin and nothing in it."""
    return make_person("nobody")


@pytest.fixture
def client_for() -> ClientFor:
    """Return a function that gives a client signed in as a person."""

    def sign_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in
