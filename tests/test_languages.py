"""The catalogues of messages: complete, up to date, and true to their placeholders."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import polib
import pytest

from tests.codebase import product_files
from tests.messages import catalogues, extraction
from tests.services.system import require_program

LANGUAGES = sorted(catalogues.PLURALS)
in_each_language = pytest.mark.parametrize("language", LANGUAGES)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdr]|\{\w*\}")
TAG = re.compile(r"</?\w+[^>]*>")


def texts_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def slots(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text)) + Counter(TAG.findall(text))


def as_compiled(entry: polib.POEntry) -> tuple[object, ...]:
    return *extraction.key(entry), entry.msgid_plural, entry.msgstr, *texts_of(entry)


@in_each_language
def test_everything_is_translated(language: str) -> None:
    catalogue = catalogues.read(language)

    assert [e.msgid for e in catalogue if not e.translated()] == []
    assert [e.msgid for e in catalogue if e.fuzzy or e.obsolete] == []


@in_each_language
def test_placeholders_and_tags_are_those_of_the_original(language: str) -> None:
    wrong = [
        (entry.msgid, text)
        for entry in catalogues.read(language)
        for text in texts_of(entry)
        if slots(text) not in (slots(entry.msgid), slots(entry.msgid_plural))
    ]

    assert wrong == []


@in_each_language
def test_space_around_a_translation_is_that_of_the_original(language: str) -> None:
    # msgfmt refuses a line break at one end only.
    wrong = [
        entry.msgid
        for entry in catalogues.read(language)
        for text in texts_of(entry)
        if entry.msgid.startswith("\n") != text.startswith("\n")
        or entry.msgid.endswith("\n") != text.endswith("\n")
    ]

    assert wrong == []


@in_each_language
def test_each_language_has_its_plural_forms(language: str) -> None:
    catalogue = catalogues.read(language)
    forms = int(catalogues.PLURALS[language][len("nplurals=")])

    assert catalogue.metadata["Plural-Forms"] == catalogues.PLURALS[language]
    assert {len(e.msgstr_plural) for e in catalogue if e.msgid_plural} == {forms}


@in_each_language
def test_the_compiled_catalogue_is_what_the_readable_one_says(language: str) -> None:
    compiled = polib.mofile(str(catalogues.path_of(language).with_suffix(".mo")))

    expected = {as_compiled(entry) for entry in catalogues.read(language)}
    assert {as_compiled(entry) for entry in compiled} == expected


@in_each_language
def test_no_file_of_a_machine_is_named(language: str) -> None:
    places = (
        place
        for entry in catalogues.read(language)
        for place, line in entry.occurrences
        if line or place.startswith("/") or ".." in place
    )

    assert list(places) == []


@in_each_language
def test_the_catalogue_holds_what_the_sources_say_now(
    language: str, found: polib.POFile
) -> None:
    fresh = catalogues.refreshed(language, found)

    written = {extraction.key(e) for e in catalogues.read(language)}
    assert {extraction.key(e) for e in fresh} == written, "Run make messages."


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    require_program("xgettext")
    return extraction.found(tmp_path_factory.mktemp("messages"))


def test_translation_functions_keep_names_that_xgettext_knows() -> None:
    renamed = {
        (module, name)
        for module, path in product_files().items()
        for name in other_names(path.read_text(encoding="utf-8"))
        if name != "_"
    }

    assert renamed == set()


def other_names(source: str) -> Iterator[str]:
    """Yield what functions of Django's ``translation`` are renamed to."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "django.utils.translation"
        ):
            yield from (name.asname for name in node.names if name.asname)
