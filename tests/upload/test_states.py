"""The table of edges is the seed document's diagram plus what is written down."""

import pytest

from upload.states import EDGES, SessionStatus, edge, origins

DOCUMENT = """
CREATED EXPIRED
CREATED UPLOADING
UPLOADING CREATED
UPLOADING EXPIRED
UPLOADING COPYING_IN_PROGRESS
UPLOADING REMOVING_IN_PROGRESS
COPYING_IN_PROGRESS COPYING_FAILED
COPYING_IN_PROGRESS STORED
STORED COPYING_IN_PROGRESS
STORED REMOVING_IN_PROGRESS
REMOVING_IN_PROGRESS CREATED
"""
ADDITIONS = {
    ("COPYING_FAILED", "COPYING_IN_PROGRESS"),
    ("COPYING_FAILED", "REMOVING_IN_PROGRESS"),
}


def test_the_edges_without_a_reason_are_those_of_the_document() -> None:
    document = {tuple(line.split()) for line in DOCUMENT.strip().splitlines()}

    assert {(e.origin.name, e.target.name) for e in EDGES if not e.why} == document


def test_each_addition_says_why() -> None:
    assert {(e.origin.name, e.target.name) for e in EDGES if e.why} == ADDITIONS


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("CREATED", "CR"),
        ("EXPIRED", "EX"),
        ("UPLOADING", "UG"),
        ("COPYING_IN_PROGRESS", "CP"),
        ("STORED", "SD"),
        ("COPYING_FAILED", "FD"),
        ("REMOVING_IN_PROGRESS", "RP"),
    ],
)
def test_the_codes_are_the_documents(name: str, code: str) -> None:
    assert SessionStatus[name] == code


def test_no_edge_leaves_expired() -> None:
    assert not [e for e in EDGES if e.origin == SessionStatus.EXPIRED]


def test_edge_is_none_where_none_is_legal() -> None:
    assert edge(SessionStatus.EXPIRED, SessionStatus.CREATED) is None


def test_origins_lists_every_state_that_may_move_to_a_target() -> None:
    assert origins(SessionStatus.CREATED) == {
        SessionStatus.UPLOADING,
        SessionStatus.REMOVING_IN_PROGRESS,
    }
