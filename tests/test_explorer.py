"""The page to explore models with, in a browser."""

import contextlib
import re
import shutil

import numpy as np
import PIL.Image
import playwright.sync_api
import pytest
import tensorflow as tf
from playwright.sync_api import expect, sync_playwright

import tfgen
from tests.servables import half_plus, spec, write
from tests.specimens import compiled
from tests.test_server import started

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not BROWSER, reason="there is no Chromium here")


WIDE = 600  # latents, so that more than 1,024 codes are asked for to find the active ones


def _dots(latents):
    return {"images": tf.reshape(tf.sigmoid(latents[:, -1]), [-1, 1, 1, 1])}


# Codes without `recognize`, which would tell their sizes.
WIDE_SIGNATURES = {
    "serving_default": (_dots, [spec("latents", shape=(None, WIDE))]),
    "sample_codes": (
        lambda code, seed: _dots(code[:, tf.newaxis]),
        [spec("code"), spec("seed", tf.int64, ())],
    ),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in ("conv_vae", "cgan", "infogan", "cyclegan"):
        tfgen.export(compiled(name), folder / name)
    write(folder, "wide", 1, WIDE_SIGNATURES)
    with started(folder) as (_, rest, _):
        yield rest


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, url):
    pages, problems = [], []

    def open_page(model, width=1000):
        page = browser.new_page(viewport={"width": width, "height": 800})
        pages.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((url, "data:", "blob:")) or problems.append(request.url)
            ),
        )
        page.goto(f"{url}/?model={model}")
        page.locator("#status", has_text=f"{model}:").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not problems  # nothing is asked of anyone else


def picture(page, name):
    return page.locator(f"canvas#{name}").evaluate("canvas => canvas.toDataURL()")


def test_samples_are_those_of_the_seed(visit):
    page = visit("conv_vae")
    first = picture(page, "grid")
    page.click("#next-seed")
    expect(page.locator("#seed")).to_have_value("1")
    page.wait_for_timeout(500)
    second = picture(page, "grid")
    assert second != first
    page.fill("#seed", "0")
    page.locator("#seed").press("Enter")  # the keyboard is enough
    page.wait_for_timeout(500)
    assert picture(page, "grid") == first
    with page.expect_download() as download:
        page.click("#download")
    with PIL.Image.open(download.value.path()) as image:
        assert image.size == (4 * 9 - 1, 4 * 9 - 1)


def test_latents_move_by_slider_map_and_keys(visit):
    page = visit("conv_vae")
    drawn = [picture(page, "picture")]
    slider = page.locator("#sliders input").first
    slider.fill("2.5")
    page.wait_for_timeout(500)
    drawn.append(picture(page, "picture"))
    assert page.locator("#sliders output").first.inner_text() == "2.50"
    page.locator("#map").press("ArrowLeft")
    page.wait_for_timeout(500)
    drawn.append(picture(page, "picture"))
    assert page.locator("#sliders output").first.inner_text() == "2.40"
    page.locator("#map").click(position={"x": 180, "y": 60})
    page.wait_for_timeout(500)
    drawn.append(picture(page, "picture"))
    assert page.locator("#sliders output").first.inner_text().startswith("1.")
    assert len(set(drawn)) == 4


def test_latents_stay_on_the_map(visit):
    page = visit("conv_vae")
    slider, shown = page.locator("#sliders input").first, page.locator("#sliders output").first
    for start, key, end in (("2.95", "ArrowRight", "3.00"), ("-2.95", "ArrowLeft", "-3.00")):
        slider.fill(start)
        for _ in range(2):
            page.locator("#map").press(key)
        expect(shown).to_have_text(end)


@pytest.mark.parametrize("slow", ["metadata", ":predict"])
def test_the_model_is_the_one_that_was_chosen_last(visit, slow):
    page, held = visit("cyclegan"), []
    page.route(re.compile(f"/conv_vae.*{slow}"), lambda route: held.append(route))
    page.fill("#model", "conv_vae")
    page.locator("#model").press("Enter")
    expect(page.locator("#status")).to_have_text("Loading conv_vae ...")
    while not held:
        page.wait_for_timeout(50)
    page.fill("#model", "cgan")
    page.locator("#model").press("Enter")
    page.locator("#status", has_text="cgan:").wait_for()
    drawn = picture(page, "grid")
    for route in held:
        with contextlib.suppress(playwright.sync_api.Error):  # nobody waits for it any more
            route.continue_()
    page.wait_for_timeout(500)
    assert page.locator("#status").inner_text().startswith("cgan:")
    assert picture(page, "grid") == drawn
    expect(page.locator("#sample-label")).to_be_visible()


def test_a_wide_model_is_asked_in_parts(visit):
    page = visit("wide")
    expect(page.locator("#sliders label").first).to_contain_text(f"latent {WIDE - 1}")
    expect(page.locator("#codes")).to_be_hidden()  # nothing tells how many values a code has


def test_codes_are_calculated_with(visit):
    page = visit("conv_vae")
    path, total = picture(page, "path"), picture(page, "sum")
    page.fill("#to", "5")
    page.locator("#to").press("Enter")
    page.fill("#and", "5")
    page.locator("#and").press("Enter")
    page.wait_for_timeout(500)
    assert picture(page, "path") != path and picture(page, "sum") != total


def test_codes_have_their_names_and_are_chosen(visit):
    page = visit("infogan")
    assert page.locator("#code-inputs label").all_inner_texts()[1].startswith("code_1, 0")
    category, slider = page.get_by_label("code_0"), page.get_by_label("code_1, 0")
    assert category.locator("option").all_inner_texts() == ["0", "1", "2", "3"]
    drawn = [picture(page, "coded")]
    for move in (
        lambda: category.select_option("2"),
        lambda: slider.fill("1.5"),
        lambda: category.select_option("0"),
        lambda: slider.fill("0"),
    ):
        move()
        page.wait_for_timeout(500)
        drawn.append(picture(page, "coded"))
    assert len(set(drawn[:4])) == 4 and drawn[4] == drawn[0]
    expect(visit("cgan").locator("#codes")).to_be_hidden()


def test_a_label_is_asked_for_where_there_are_labels(visit):
    page = visit("cgan", width=360)
    expect(page.locator("#sample-label")).to_be_visible()
    any_label = picture(page, "grid")
    page.fill("#sample-label", "1")
    page.locator("#sample-label").press("Enter")
    page.wait_for_timeout(500)
    assert picture(page, "grid") != any_label
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 360  # a phone need not scroll sideways
    expect(visit("conv_vae").locator("#sample-label")).to_be_hidden()


@pytest.mark.parametrize(
    ("model", "answers"),
    [
        ("conv_vae", ["encode, mean:", "reconstruct", "score, elbo:"]),
        ("cyclegan", ["translate_a_to_b", "translate_b_to_a", "score_a"]),
    ],
)
def test_an_image_of_one_s_own_is_answered(visit, tmp_path, model, answers):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "image.png")
    page = visit(model)
    page.set_input_files("#file", tmp_path / "image.png")
    for answer in answers:
        expect(page.locator("figcaption", has_text=answer).first).to_be_visible()


def test_what_goes_wrong_is_told(visit):
    page = visit("cgan")
    page.fill("#count", "100000")
    page.evaluate("() => document.getElementById('count').removeAttribute('max')")
    page.locator("#count").press("Enter")
    expect(page.locator("#status.error")).to_contain_text("count must be between 1 and 4096")
    page.fill("#model", "nothing")
    page.locator("#model").press("Enter")
    expect(page.locator("#status.error")).to_contain_text("Could not find any versions")
    expect(page.locator("#explored")).to_have_attribute("inert", "")  # it is another model's


def test_a_token_is_asked_for_where_one_is_wanted(browser, tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    (tmp_path / "token").write_text("secret")
    with (
        started(tmp_path, f"--token-file={tmp_path / 'token'}") as (_, url, _),
        browser.new_page() as page,
    ):
        page.goto(url)
        token = page.get_by_label(f"Token for {url.removeprefix('http://')}")
        expect(token).to_be_focused()
        expect(page.locator("#status.error")).to_contain_text("Authorization: Bearer")
        token.fill("guessed")
        token.press("Enter")
        expect(page.locator("#status.error")).to_contain_text("Authorization: Bearer")
        expect(token).to_be_focused()
        token.fill("secret")
        token.press("Enter")
        expect(page.locator("#status")).to_have_text("half: serving_default")
        expect(token).to_be_hidden()
        kept = page.evaluate("() => [document.cookie, localStorage.length, sessionStorage.length]")
        assert kept == ["", 0, 0] and page.url == f"{url}/"
