"""The condition that an id is one of many: one parameter, however many they are.

``IN`` with a parameter each takes the database, and us, longer to read than to answer.
"""

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import Lookup


class _Among(Lookup):  # type: ignore[type-arg]
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        listed = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608
        return listed, [*params, json.dumps(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        listed = f"{{{','.join(map(str, self.rhs))}}}"  # psycopg takes long over a list
        return f"{column} = ANY (%s::bigint[])", [*params, listed]


def among(field: str, ids: Iterable[int]) -> Q:
    """Return the condition that ``field`` is one of the ids."""
    return Q(_Among(F(field), sorted(ids)))
