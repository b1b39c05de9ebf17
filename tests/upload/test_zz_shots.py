import pytest
from playwright.sync_api import expect
from axe_playwright_python.sync_playwright import Axe
from tests.make import make_session
from upload.states import SessionStatus as S
from tests.upload.test_upload_page import page_of, payload, line

def axe(page, name):
    r = Axe().run(page)
    for v in r.response["violations"]:
        print("AXE", name, v["id"], v["impact"], [n["target"] for n in v["nodes"]][:4])

@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who,scheme,width", [("clerk","light",1280),("clerk","dark",1280),("uploader","light",1280),("uploader","dark",1280),("uploader","light",390),("clerk","light",390)])
def test_shots(page_for, who, scheme, width, request):
    person = request.getfixturevalue(who)
    s = make_session(S.UPLOADING, {"Procès-verbal.pdf": b"%PDF-1.4\n", "記録.txt": b"x"*12345}, user=person)
    page = page_for(person, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.on("console", lambda m: print("CONSOLE", m.type, m.text))
    page.on("pageerror", lambda e: print("PAGEERROR", e))
    page.goto(page_of(s))
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    page.set_input_files("#upload-input", [payload("a.exe"), payload("記録.txt"), payload("ok.txt")])
    expect(line(page, "ok.txt")).to_contain_text("Received")
    client.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": 1e6, "uploadThroughput": 200_000})
    page.set_input_files("#upload-input", [payload("big1.txt", b"a"*900_000), payload("big2.txt", b"a"*900_000), payload("big3.txt", b"b"*10)])
    page.wait_for_timeout(1800)
    page.screenshot(path=f"/tmp/shots/b/page-{who}-{scheme}-{width}.png", full_page=True)
    axe(page, f"{who}-{scheme}-{width}")
    page.goto("/upload/")
    page.screenshot(path=f"/tmp/shots/b/own-{who}-{scheme}-{width}.png", full_page=True)
    page.goto("/files/00000000-0000-4000-8000-000000000000/")
    page.screenshot(path=f"/tmp/shots/b/refusal-{who}-{scheme}-{width}.png")

@pytest.mark.django_db(transaction=True)
def test_login(page_for):
    page = page_for()
    page.goto("/login/")
    page.screenshot(path="/tmp/shots/b/login.png")
    axe(page, "login")
