"""The decision pages stay complete."""

import re
import tomllib

from tests.codebase import ROOT

DECISIONS = ROOT / "docs/decisions"


def distributions() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    listed = [project["project"]["dependencies"], *extras, *groups]
    return {re.split(r"[\[<>=]", line)[0] for lines in listed for line in lines}


def test_every_dependency_has_its_reason_written_down() -> None:
    page = (DECISIONS / "0002-dependencies.md").read_text(encoding="utf-8")

    assert {name for name in distributions() if name not in page} == set()


def test_every_decision_is_in_the_list() -> None:
    listed = (DECISIONS / "README.md").read_text(encoding="utf-8")

    pages = {page.name for page in DECISIONS.glob("0*.md")}

    assert {page for page in pages if f"({page})" not in listed} == set()
