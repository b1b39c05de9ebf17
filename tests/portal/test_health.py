"""The health page: for machines, without signing in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client


def refuse(execute: Callable[..., Any], *args: Any) -> Any:
    raise DatabaseError("no answer")


@pytest.mark.django_db
def test_health_is_ok_while_the_database_answers(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_health_is_unavailable_without_the_database(client: Client) -> None:
    with connection.execute_wrapper(refuse):
        response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable"}


def test_health_is_only_for_reading(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_health_answers_over_plain_http_where_all_else_is_redirected(
    client: Client, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 301
