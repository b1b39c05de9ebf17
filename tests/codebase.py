"""Read our own code by ``ast``: who imports whom, and how long things are.

Used by ``test_architecture`` alone. A *graph* maps each module's dotted name to the
dotted names that it imports, as written. Imports inside functions count; those below
``if TYPE_CHECKING:`` do not, because they never run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

type Graph = dict[str, set[str]]

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("portal", "upload", "admin_ext", "fixtures")
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def product_files() -> dict[str, Path]:
    """Return every module of the product, without migrations, by dotted name."""
    files = (path for top in PRODUCT for path in (ROOT / top).rglob("*.py"))
    return {name_of(p): p for p in files if p.parent.name != "migrations"}


def name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def product_graph() -> Graph:
    return {
        name: imports_of(path.read_text(encoding="utf-8"))
        for name, path in product_files().items()
    }


def imports_of(source: str) -> set[str]:
    """Return ``a.b`` for ``import a.b`` and ``a.b.c`` for ``from a.b import c``."""
    return set(_imports_below(ast.parse(source)))


def _imports_below(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for other in child.orelse:
                yield from _imports_below(ast.Module([other], []))
        else:
            yield from _imports_below(child)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def edges(graph: Graph) -> Graph:
    """Return the graph between our own modules, each import as the module it loads."""
    return {
        module: {
            target
            for name in names
            if (target := _module_in(graph, name)) and target != module
        }
        for module, names in graph.items()
    }


def _module_in(graph: Graph, name: str) -> str | None:
    while name and name not in graph:
        name = name.rpartition(".")[0]
    return name or None


def long_functions(source: str, limit: int) -> list[str]:
    return [
        f"{node.name} has {lines} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, FUNCTION)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > limit
    ]
