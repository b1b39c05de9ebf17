"""What each role may do to a session in each state, written down for the tests.

The tables say what the records policy promises. They are read here and nowhere in the
product, so that a rule that changes by mistake has something to differ from.
"""

from typing import Any

from portal.models import User
from tests.people import make_person
from upload.states import SessionStatus, Verb

S = SessionStatus
ROLES = ("owner", "stranger", "clerk", "manager", "auditor", "superuser", "nobody")
YES, DENIED, HIDDEN, STATE = "yes", "403", "404", "state"

# "owner" and "stranger" are uploaders; the session is the owner's. "nobody" is staff
# without a role. A state that is not named refuses whoever has the right.
VERBS = """
verb        | states         | owner | stranger | clerk | manager | auditor | superuser | nobody
upload      | CR UG          | yes   | 404      | yes   | 403     | 403     | yes       | 404
remove_file | UG             | yes   | 404      | yes   | 403     | 403     | yes       | 404
expire      | CR UG          | 403   | 404      | yes   | 403     | 403     | yes       | 404
store       | UG FD          | 403   | 404      | yes   | 403     | 403     | yes       | 404
copy        | SD             | 403   | 404      | yes   | 403     | 403     | yes       | 404
remove      | UG SD FD       | 403   | 404      | yes   | 403     | 403     | yes       | 404
retry       | UG SD FD       | 403   | 404      | yes   | 403     | 403     | yes       | 404
verify      | SD             | 403   | 404      | yes   | 403     | 403     | yes       | 404
hold        | CR UG CP SD FD | 403   | 404      | 403   | yes     | 403     | yes       | 404
lift        | CR EX UG CP SD FD RP | 403 | 404  | 403   | yes     | 403     | yes       | 404
"""  # noqa: E501

# What is asked without changing anything, and what is asked of no one session.
SIGHTS = """
what             | owner | stranger | clerk | manager | auditor | superuser | nobody
view             | yes   | 404      | yes   | yes     | yes     | yes       | 404
temporary file   | yes   | 404      | yes   | 403     | 403     | yes       | 404
permanent file   | 403   | 404      | yes   | yes     | 403     | yes       | 404
approve          | 403   | 403      | 403   | yes     | 403     | yes       | 403
export           | 403   | 403      | yes   | yes     | yes     | yes       | 403
export events    | 403   | 403      | 403   | 403     | yes     | yes       | 403
evidence         | 403   | 403      | yes   | yes     | yes     | yes       | 403
destinations     | 403   | 403      | 403   | 403     | yes     | yes       | 403
set destinations | 403   | 403      | 403   | 403     | 403     | yes       | 403
queue            | 403   | 403      | 403   | 403     | 403     | yes       | 403
people           | 403   | 403      | 403   | 403     | 403     | yes       | 403
"""


def table(text: str) -> dict[str, dict[str, str]]:
    """Return the rows by their first cell, each as a dict by the heads."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.split("\n")]
    heads, *rows = [line for line in lines if len(line) > 1]
    return {row[0]: dict(zip(heads, row, strict=True)) for row in rows}


VERB_ROWS, SIGHT_ROWS = table(VERBS), table(SIGHTS)


def expected(verb: Verb, state: SessionStatus) -> dict[str, str]:
    """Return the promised answer for each role; one who may may still be too late."""
    row = VERB_ROWS[verb.value]
    late = state.value not in row["states"].split()
    return {role: STATE if row[role] == YES and late else row[role] for role in ROLES}


def promised(what: str) -> dict[str, str]:
    return {role: SIGHT_ROWS[what][role] for role in ROLES}


def without_sight(answers: dict[str, str]) -> dict[str, str]:
    """Return the answers of a channel that was handed the session: 404 is 403."""
    return {r: DENIED if a == HIDDEN else a for r, a in answers.items()}


def for_staff(answers: dict[str, str]) -> dict[str, str]:
    """Return the answers of the admin, which senders cannot open at all."""
    return answers | {"owner": DENIED, "stranger": DENIED}


def people() -> dict[str, Any]:
    """Make one person for each role."""
    return {
        "owner": make_person("owner", "Uploaders", is_staff=False),
        "stranger": make_person("stranger", "Uploaders", is_staff=False),
        "clerk": make_person("clerk", "Records staff"),
        "manager": make_person("manager", "Managers"),
        "auditor": make_person("auditor", "Auditors"),
        "superuser": User.objects.create_superuser("superuser"),
        "nobody": make_person("nobody"),
    }
