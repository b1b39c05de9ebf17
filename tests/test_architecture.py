"""Who may import whom, and how long things may get; see docs/architecture.md.

Each rule is a function from a graph to sentences about what breaks it. It is asked
about the product, and about a small graph that breaks it.
"""

import re
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.codebase import (
    ROOT,
    Graph,
    edges,
    imports_of,
    is_below,
    long_functions,
    product_files,
    product_graph,
)

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 50
# Importer, and what it must not import.
FORBIDDEN = {
    "upload": (
        "admin_ext",
        "portal",
        "fixtures",
        "tests",
        "unfold",
        "import_export",
        "django.contrib.admin",
    ),
    "portal": ("upload", "admin_ext", "tests"),
    "admin_ext": ("portal", "fixtures", "tests"),
    "fixtures": ("admin_ext", "tests"),
}
MAY_IMPORT_DJANGO_Q = (
    r"upload\.(broker|tasks|schedules|queues)",
    r"upload\.queued_storage\.queueing",
    r"admin_ext\.queue\w*",
    r"portal\.management\.commands\.\w+",
)
# Doors of the package: Django opens them, no room imports them.
OUTERMOST = {"apps", "management", "checks", "migrations"}
CODE = product_graph()


def forbidden_imports(graph: Graph) -> list[str]:
    return [
        f"{module} imports {name}"
        for importer, banned in FORBIDDEN.items()
        for module, names in sorted(graph.items())
        if is_below(module, importer)
        for name in sorted(names)
        if any(is_below(name, package) for package in banned)
    ]


def stray_queue_imports(graph: Graph) -> list[str]:
    allowed = re.compile("|".join(MAY_IMPORT_DJANGO_Q))
    return [
        f"{module} imports {name}"
        for module, names in sorted(graph.items())
        for name in sorted(names)
        if is_below(name, "django_q") and not allowed.fullmatch(module)
    ]


def circle(graph: Graph) -> list[str]:
    """Return the modules of one import circle, or nothing."""
    try:
        TopologicalSorter(edges(graph)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def rooms_of(page: str) -> list[str]:
    """Return the rooms of the page's table, top to bottom and left to right."""
    table = page.split("| room |")[1].split("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return [name for cell in first_cells for name in re.findall(r"`(\w+)/?`", cell)]


def room_of(module: str) -> str:
    """Return the room of a module of ``upload``, nothing for other packages."""
    return module.split(".")[1] if module.startswith("upload.") else ""


def upward_imports(graph: Graph, rooms: list[str]) -> list[str]:
    """Return the imports of a room from below it, among rooms that have a row."""
    order = {room: number for number, room in enumerate(rooms)}
    return [
        f"{module} imports {target}"
        for module, targets in sorted(edges(graph).items())
        for target in sorted(targets)
        if room_of(module) in order
        and order[room_of(module)] < order.get(room_of(target), 0)
    ]


def rooms_without_a_row(graph: Graph, rooms: list[str]) -> set[str]:
    found = {room_of(module) for module in graph if is_below(module, "upload")}
    return found - set(rooms) - OUTERMOST - {""}


def test_nobody_imports_what_lies_outside_its_layer() -> None:
    assert forbidden_imports(CODE) == []


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("upload.access", "from django.contrib.admin import site"),
        ("upload.access", "def f():\n    import unfold.admin"),
        ("portal.urls", "from upload import urls"),
        ("admin_ext.admin", "from portal.models import User"),
    ],
)
def test_the_layer_rule_catches(importer: str, line: str) -> None:
    assert len(forbidden_imports({importer: imports_of(line)})) == 1


def test_only_the_queue_rooms_import_django_q() -> None:
    assert stray_queue_imports(CODE) == []


def test_the_queue_rule_catches_a_verb_that_queues() -> None:
    graph = {
        "upload.copy": {"django_q.tasks.async_task"},
        "upload.queues": {"django_q.tasks.async_task"},
    }

    assert stray_queue_imports(graph) == [
        "upload.copy imports django_q.tasks.async_task"
    ]


def test_no_module_imports_itself_in_a_circle() -> None:
    assert circle(CODE) == []


def test_the_circle_rule_catches_an_import_inside_a_function() -> None:
    graph = {
        "upload.jobs": imports_of("from upload.tasks import run"),
        "upload.tasks": imports_of("def run():\n    from upload import jobs"),
    }

    assert set(circle(graph)) == {"upload.jobs", "upload.tasks"}


def test_an_import_for_types_alone_is_no_import() -> None:
    source = (
        "if TYPE_CHECKING:\n    import upload.models\nelse:\n    import upload.jobs"
    )

    assert imports_of(source) == {"upload.jobs"}


def test_each_room_imports_only_rooms_above_it() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    assert upward_imports(CODE, rooms_of(page)) == []


def test_each_room_has_a_row_in_the_table() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    assert rooms_without_a_row(CODE, rooms_of(page)) == set()


def test_the_room_rule_catches_an_import_from_below() -> None:
    graph = {
        "upload.store": {"upload.models.session.UploadSession", "upload.errors.Gone"},
        "upload.models.session": {"upload.store"},
        "upload.errors": set(),
    }

    found = upward_imports(graph, ["errors", "store", "models"])

    assert found == ["upload.store imports upload.models.session"]


def test_the_room_rule_catches_a_room_without_a_row() -> None:
    graph: Graph = {"upload.store": set(), "upload.attic": set(), "upload.apps": set()}

    assert rooms_without_a_row(graph, ["store"]) == {"attic"}


def test_the_table_is_read_in_its_order() -> None:
    page = "| room | what |\n|---|---|\n| `a`, `b` | x |\n| `c/` | `d` |\n\ntext `e`"

    assert rooms_of(page) == ["a", "b", "c"]


@pytest.mark.parametrize("module", sorted(product_files()))
def test_no_file_and_no_function_is_too_long(module: str) -> None:
    source = product_files()[module].read_text(encoding="utf-8")

    assert len(source.splitlines()) <= MAX_FILE_LINES
    assert long_functions(source, MAX_FUNCTION_LINES) == []


def test_the_length_rule_catches_a_long_function() -> None:
    source = "def endless():\n" + "    pass\n" * 50

    assert long_functions(source, 50) == ["endless has 51 lines"]
