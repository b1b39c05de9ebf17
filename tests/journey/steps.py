"""What a person does on the pages, step by step, by what stands on them."""

import re

from playwright.sync_api import Page

def sign_in(page: Page, username: str, password: str) -> None:
    """Come to the portal's address and sign in by the form."""
    page.goto("/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/admin/$"))
