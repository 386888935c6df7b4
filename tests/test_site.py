"""The documentation's site in a browser: nothing is broken, on a phone's width too, or fetched.

It needs what `make docs` installs, and Debian's `chromium`, or Chrome.
"""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browsers import needs_browser
from tests.documents import ROOT

pytestmark = [
    pytest.mark.slow,
    needs_browser,
]
BROKEN = """() => ({
    wide: document.documentElement.scrollWidth > innerWidth,
    formulas: [...document.querySelectorAll(".arithmatex")]
        .filter(each => !each.querySelector(".katex-html")).length,
    images: [...document.images].filter(each => !each.naturalWidth).length,
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="`make docs` installs it")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", f"-d{folder}"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return folder


@pytest.mark.parametrize("width", [400, 1280])
def test_every_page_is_whole_and_fetches_nothing(width, site, browser):
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"missing: {request.url}"))
    page.on("request", lambda request: found.append(request.url) if _is_away(request) else None)
    paths = [path for path in site.rglob("*.html") if path.name != "404.html"]
    assert len(paths) > 40
    for path in paths:
        page.goto(path.as_uri())
        page.wait_for_function("document.readyState === 'complete'")
        broken = page.evaluate(BROKEN)
        assert (path.name, broken) == (path.name, {"wide": False, "formulas": 0, "images": 0})
        assert (path.name, found) == (path.name, [])


def _is_away(request):
    return not request.url.startswith(("file:", "data:", "blob:"))


def test_pages_on_the_disk_can_be_searched(site, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto((site / "index.html").as_uri())
    page.click(".md-search__input")
    page.keyboard.type("posterior collapse", delay=20)
    expect(page.locator(".md-search-result__meta")).to_contain_text("matching documents")
