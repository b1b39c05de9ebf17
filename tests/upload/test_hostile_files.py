"""B10, B11: no script of a file runs in Chromium, whichever door it is opened by.

Each file calls home if it may run anything: a request to ``/ran`` is a script that ran.
"""

import pytest
from playwright.sync_api import Error, Page

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
HOME = "fetch('/ran');new Image().src='/ran';try{top.location='/ran'}catch(e){}"
SCRIPT = f'<script>{HOME}</script><img src=x onerror="{HOME}">'.encode()
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="%s"><script>%s</script></svg>'
    % (HOME.encode(), HOME.encode())
)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(60)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.launchURL"
    b"('/ran'))>>>>endobj\n"
)
CORPUS = {
    "page.html": b"<!DOCTYPE html><body>" + SCRIPT,
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>",
    "picture.svg": SVG,
    "sheet.xml": b'<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">'
    + HOME.encode()
    + b"</x:script>",
    "archive.mhtml": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + SCRIPT,
    "words.txt": SCRIPT,
    "table.csv": b"a,b\n" + SCRIPT,
    "script.js": HOME.encode(),
    "gif-and-page.gif": b"GIF89a/*" + SCRIPT + b"*/=1;" + HOME.encode(),
    "png-and-page.png": PNG + SCRIPT,
    "jpeg-and-page.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + SCRIPT,
    "webp-and-page.webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + SCRIPT,
    "page-called-png.png": b"<html>" + SCRIPT,
    "page-called-jpg.jpg": SVG,
    "document.pdf": PDF + SCRIPT,
    "utf-7.txt": b"+ADw-script+AD4-fetch('/ran')+ADw-/script+AD4-",
    "utf-16.txt": SCRIPT.decode().encode("utf-16"),
    "flash.swf": b"FWS\x05" + SCRIPT,
    "applet.xsl": b"<?xml-stylesheet href=\"javascript:fetch('/ran')\"?><a/>",
    "manifest.webmanifest": b"{}" + SCRIPT,
}


@pytest.fixture
def addresses(clerk: User) -> list[str]:
    """Every file of the corpus, temporary and stored, by both of its URLs."""
    found = []
    for status in (SessionStatus.UPLOADING, SessionStatus.STORED):
        session = make_session(status, CORPUS)
        files = [
            *session.tempuploadedfile_set.all(),
            *session.permuploadedfile_set.all(),
        ]
        assert len(files) == len(CORPUS)
        found += [file.get_file_access_url() for file in files]
        found += [file.get_file_media_url() for file in files]
    return found


def open_directly(page: Page, url: str) -> None:
    """Go there; a download is no page, which the browser calls an error."""
    try:
        page.goto(url)
        page.wait_for_load_state("networkidle")
    except Error as error:
        assert "Download is starting" in str(error)


EMBEDDED = """urls => Promise.all(urls.flatMap(url => [
    ["iframe", "src"], ["object", "data"], ["embed", "src"], ["img", "src"],
    ["script", "src"], ["link", "href"],
].map(([tag, name]) => new Promise(done => {
    const element = document.createElement(tag);
    if (tag === "link") element.rel = "stylesheet";
    element[name] = url;
    element.onload = element.onerror = done;
    setTimeout(done, 3000);
    document.body.append(element);
}))))"""


def watched(page_for: PageFor, clerk: User) -> tuple[Page, list[str]]:
    """Return a page and the list that grows when a script of a file runs."""
    page, ran = page_for(clerk), []
    page.context.on(
        "request",
        lambda request: ran.append(request.url) if "/ran" in request.url else None,
    )
    return page, ran


def test_no_script_of_a_file_runs_when_it_is_opened(
    page_for: PageFor, clerk: User, addresses: list[str]
) -> None:
    page, ran = watched(page_for, clerk)

    for url in addresses:
        open_directly(page, url)

    assert ran == []


def test_no_script_of_a_file_runs_inside_a_page_of_ours(
    page_for: PageFor, clerk: User, addresses: list[str]
) -> None:
    page, ran = watched(page_for, clerk)
    page.goto("/login/")

    for start in range(0, len(addresses), 20):
        page.evaluate(EMBEDDED, addresses[start : start + 20])

    assert ran == []


def test_the_watch_sees_a_script_that_runs(page_for: PageFor, clerk: User) -> None:
    page, ran = watched(page_for, clerk)
    page.goto("/login/")

    page.set_content(CORPUS["page.html"].decode(), wait_until="networkidle")

    assert ran
