"""Rows in bulk are the rows that the models would have written."""

from uuid import uuid4

import pytest

from tests.make import make_session
from upload.insert import MOST_ROWS, insert_rows
from upload.models import FileCopy, Job, JobItem
from upload.states import ItemOutcome, JobKind

pytestmark = pytest.mark.django_db

NAMES = ("file_uuid", "name", "size_bytes")
COPY = ("file_uuid", "name", "target_key", "place", "size_bytes", "sha256")


def job() -> Job:
    session = make_session()
    return Job.objects.create(
        kind=JobKind.STORE, session=session, session_uuid=session.uuid
    )


def test_each_row_has_its_values_and_the_others_their_defaults() -> None:
    owner = job()
    rows = [(uuid4(), f"紙-{number}.txt", 5 * 2**40) for number in range(3)]
    insert_rows(JobItem, NAMES, rows, shared={"job_id": owner.pk})
    found = owner.item_set.order_by("pk")
    assert list(found.values_list(*NAMES)) == rows
    assert {item.outcome for item in found} == {ItemOutcome.PENDING}
    assert {(item.error, item.source_key) for item in found} == {("", "")}


def test_more_rows_than_a_statement_takes_keep_their_order() -> None:
    owner = job()
    rows = [(uuid4(), str(number), number) for number in range(2 * MOST_ROWS + 1)]
    insert_rows(JobItem, NAMES, iter(rows), shared={"job_id": owner.pk})
    assert list(owner.item_set.order_by("pk").values_list(*NAMES)) == rows


def test_no_rows_are_no_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    owner = job()
    with django_assert_num_queries(0):
        insert_rows(JobItem, NAMES, [], shared={"job_id": owner.pk})


def test_a_row_in_the_place_of_another_is_overwritten_and_keeps_its_key() -> None:
    shared = {"session_uuid": uuid4(), "target_root": "/archive"}
    first = (uuid4(), "a", "a", "place", 1, "0" * 64)
    second = (uuid4(), "b", "b", "place", 2, "1" * 64)
    insert_rows(FileCopy, COPY, [first], shared=shared, replacing="place")
    key = FileCopy.objects.get().pk
    insert_rows(FileCopy, COPY, [second], shared=shared, replacing="place")
    assert FileCopy.objects.values_list("pk", *COPY).get() == (key, *second)


@pytest.mark.parametrize("wrong", [{"job": 1}, {"job_id": 1, "colour": "red"}])
def test_a_name_that_is_no_column_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        insert_rows(JobItem, NAMES, [(uuid4(), "a", 1)], shared=wrong)
    assert not JobItem.objects.exists()


def test_a_row_that_lacks_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        insert_rows(JobItem, NAMES, [(uuid4(), "a")], shared={"job_id": job().pk})
