import pytest
from tests.journey.conftest import SignIn
from fixtures import samples
pytestmark = pytest.mark.django_db(transaction=True)
def test_probe(sign_in: SignIn) -> None:
    page = sign_in("clerk", "Records staff")
    page.goto("/admin/upload/uploadsession/")
    page.screenshot(path="/tmp/probe0.png"); print(page.url, page.locator("body").aria_snapshot())
    page.get_by_role("button", name="New session").click(timeout=2000)
    page.set_input_files("#upload-input", [{"name": "議事録.pdf", "mimeType":"application/pdf","buffer": samples.pdf("x")},{"name": "x.exe", "mimeType":"application/pdf","buffer": b"MZ"}])
    page.locator("[data-state=kept]").wait_for()
    print(page.locator("#main, #content, body").last.inner_text())
    page.screenshot(path="/tmp/probe1.png")
    page.goto("/admin/upload/uploadsession/")
    print(page.locator("body").aria_snapshot())
    page.screenshot(path="/tmp/probe2.png")
    page.locator("#result_list a").first.click()
    print(page.locator("body").aria_snapshot())
    page.screenshot(path="/tmp/probe3.png")
    page.get_by_role("link", name="Store").click()
    print(page.locator("body").aria_snapshot())
