"""The portal's catalogues: brought up to what was found, without losing a translation.

No entry is ever fuzzy: a changed msgid is a new one, without a translation. The files
hold no date and no line numbers, so that a run that finds nothing new changes nothing.
"""

import copy
from pathlib import Path

import polib

from tests.codebase import ROOT
from tests.messages.extraction import is_ours, key, shipped

FOLDER = ROOT / "portal" / "locale"
# The rule for plurals by language; see "Plural-Forms" in the manual of gettext.
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "ja": "nplurals=1; plural=0;",
}


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> polib.POFile:
    """Return the catalogue, or an empty one for a new language."""
    path = path_of(language)
    return polib.pofile(str(path)) if path.exists() else polib.POFile()


def refreshed(language: str, found: polib.POFile) -> polib.POFile:
    """Return the catalogue with every string of ``found``, ours before the others'."""
    known = {key(entry): entry for entry in read(language)}
    elsewhere = shipped(language)
    fresh = polib.POFile(wrapwidth=88)
    fresh.metadata = {
        "Project-Id-Version": "Muniment",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language],
    }
    for entry in sorted(found, key=lambda entry: not is_ours(entry)):
        if is_ours(entry) or key(entry) not in elsewhere:
            fresh.append(_translated(entry, known.get(key(entry)), language))
    return fresh


def _translated(
    entry: polib.POEntry, known: polib.POEntry | None, language: str
) -> polib.POEntry:
    fresh = copy.copy(entry)
    fresh.comment = ""
    if entry.msgid_plural:
        empty = dict.fromkeys(range(int(PLURALS[language][len("nplurals=")])), "")
        same = known is not None and known.msgid_plural == entry.msgid_plural
        fresh.msgstr_plural = known.msgstr_plural if known and same else empty
    else:
        fresh.msgstr = known.msgstr if known else ""
    return fresh


def write(language: str, catalogue: polib.POFile) -> None:
    """Write the catalogue, and compile it beside."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))
    catalogue.save_as_mofile(str(path.with_suffix(".mo")))
