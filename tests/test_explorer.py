"""The page to explore models with, in a browser (Debian's `chromium`, or Chrome)."""

import contextlib
import http.server
import importlib.resources
import json
import re
import threading

import numpy as np
import PIL.Image
import playwright.sync_api
import pytest
import tensorflow as tf
from playwright.sync_api import expect

import tfgen
from tests.browsers import needs_browser
from tests.servables import half_plus, spec, write
from tests.specimens import compiled
from tests.test_server import started
from tfgen.latent_space import interpolate_spherical
from tfgen.serving.description import derive
from tfgen.serving.servable import Servable

pytestmark = needs_browser


WIDE = 600  # latents, so that more than 1,024 images are asked for to find the active ones


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


# Latents that are maps, for which there are no sliders.
SPATIAL_SIGNATURES = {
    "serving_default": (
        lambda latents: {"images": latents[..., tf.newaxis]},
        [spec("latents", shape=(None, 2, 2))],
    ),
    "sample": (
        lambda count, seed: {"images": tf.zeros([count, 2, 2, 1]) + tf.cast(seed, tf.float32)},
        [spec("count", tf.int32, ()), spec("seed", tf.int64, ())],
    ),
}
SPATIAL = {
    "abilities": ["generate", "sample"],
    "latents": {"size": 2, "kind": "normal", "path": "spherical"},
}


FEW = "conv_vae", "cgan", "cyclegan"
MORE = "s_vae", "cvae", "infogan", "diffusion", "dall_e_2", "autoregressive"


@pytest.fixture(scope="module")
def url(tmp_path_factory, request):
    """Serves few models where no slow test was chosen: those are the ones that need more."""
    folder = tmp_path_factory.mktemp("models")
    chosen = [item for item in request.session.items if item.path == request.path]
    more = any(item.get_closest_marker("slow") for item in chosen)
    for name in (*FEW, *(MORE if more else ())):
        tfgen.export(compiled(name), folder / name)
    write(folder, "wide", 1, WIDE_SIGNATURES)
    described = write(folder, "spatial", 1, SPATIAL_SIGNATURES) / "assets.extra" / "tfgen.json"
    described.parent.mkdir()
    described.write_text(json.dumps(SPATIAL))
    with started(folder) as (_, rest, _):
        yield rest


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


@pytest.fixture(scope="module")
def own_servables(url, tmp_path_factory):
    """What the exports that are served say of themselves, by model."""
    folder = tmp_path_factory.mktemp("again")
    names = ("conv_vae", "cgan", "infogan", "cyclegan")
    return {name: Servable(tfgen.export(compiled(name), folder / name)) for name in names}


def asked_latents(page):
    """Returns the list to which all latents are added whose images a page asks for."""
    asked = []

    def note(request):
        inputs = (request.post_data_json or {}).get("inputs", {})
        if request.method == "POST" and "latents" in inputs:
            asked.extend(inputs["latents"])

    page.on("request", note)
    return asked


def picture(page, name):
    return page.locator(f"canvas#{name}").evaluate("canvas => canvas.toDataURL()")


def pixels(page, name):
    """Returns the first channel of a canvas, uint8 `[height, width]`."""
    numbers = page.locator(f"canvas#{name}").evaluate(
        "c => [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    return np.array(numbers[2:], np.uint8).reshape(*numbers[:2], 4)[..., 0]


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


@pytest.mark.slow
def test_latents_stay_on_the_map(visit):
    page = visit("conv_vae")
    slider, shown = page.locator("#sliders input").first, page.locator("#sliders output").first
    for start, key, end in (("2.95", "ArrowRight", "3.00"), ("-2.95", "ArrowLeft", "-3.00")):
        slider.fill(start)
        for _ in range(2):
            page.locator("#map").press(key)
        expect(shown).to_have_text(end)


@pytest.mark.slow
def test_latents_on_a_sphere_stay_there(visit):
    page = visit("s_vae")

    def latents():
        return [float(each) for each in page.locator("#sliders output").all_inner_texts()]

    assert np.linalg.norm(latents()) == pytest.approx(1, abs=0.02)
    page.locator("#sliders input").first.fill("0.6")
    page.wait_for_timeout(500)
    assert latents()[0] == 0.6 and np.linalg.norm(latents()) == pytest.approx(1, abs=0.02)
    page.locator("#map").click(position={"x": 118, "y": 118})  # the globe's middle, about
    page.wait_for_timeout(500)
    assert np.linalg.norm(latents()) == pytest.approx(1, abs=0.02)
    assert abs(latents()[2]) > 0.9
    page.locator("#map").click(position={"x": 2, "y": 2})  # outside of it: its rim
    page.wait_for_timeout(500)
    assert latents()[2] == 0 and np.linalg.norm(latents()) == pytest.approx(1, abs=0.02)
    expect(page.locator("#status")).to_have_text(re.compile("^s_vae"))


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["metadata", ":predict"])
def test_the_model_is_the_one_that_was_chosen_last(visit, slow):
    page, held = visit("cyclegan"), []
    page.route(re.compile(f"/conv_vae.*{slow}"), lambda route: held.append(route))
    page.select_option("#model", "conv_vae")
    expect(page.locator("#status")).to_have_text("Loading conv_vae ...")
    while not held:
        page.wait_for_timeout(50)
    page.select_option("#model", "cgan")
    page.locator("#status", has_text="cgan:").wait_for()
    drawn = picture(page, "grid")
    for route in held:
        with contextlib.suppress(playwright.sync_api.Error):  # nobody waits for it any more
            route.continue_()
    page.wait_for_timeout(500)
    assert page.locator("#status").inner_text().startswith("cgan:")
    assert picture(page, "grid") == drawn
    expect(page.locator("#sample-label")).to_be_visible()


@pytest.mark.slow
def test_a_wide_model_is_asked_in_parts(visit):
    page = visit("wide")
    expect(page.locator("#sliders label").first).to_contain_text(f"latent {WIDE - 1}")
    expect(page.locator("#codes")).to_be_hidden()  # nothing tells how many values a code has


@pytest.mark.slow
def test_the_server_tells_what_a_model_can_do(visit):
    shown = {
        "conv_vae": {"samples", "latents", "between", "images"},
        "cgan": {"samples", "latents", "between", "images"},
        "cvae": {"samples", "latents", "between", "images"},
        "infogan": {"samples", "codes", "latents", "between", "images"},
        "cyclegan": {"images"},
        "wide": {"latents", "between"},
        "spatial": {"samples"},
    }
    for name, sections in shown.items():
        page = visit(name)
        for section in ("samples", "codes", "latents", "between", "images"):
            expect(page.locator(f"section#{section}")).to_be_visible(visible=section in sections)
        # A prior is chosen where the export does not say it.
        expect(page.locator("#prior-choice")).to_be_visible(visible=name == "wide")


@pytest.mark.slow
def test_latents_are_drawn_as_they_are_distributed(visit):
    page = visit("infogan")  # 2 latents of a uniform prior, 4 categories, a value in [-1, 1]
    asked = asked_latents(page)
    for seed in range(10, 20):
        page.fill("#plus", str(seed))
        page.locator("#plus").press("Enter")
        page.wait_for_timeout(100)
    expect(page.locator("#status")).to_have_class("")
    page.wait_for_timeout(500)
    # Four at a time: three that are drawn, and their sum.
    drawn = np.array([latents for place, latents in enumerate(asked) if place % 4 < 3])
    assert len(drawn) == 30 and np.abs(drawn).max() <= 1 and drawn[:, :2].min() < -0.5
    np.testing.assert_array_equal(np.sort(drawn[:, 2:6]), [[0, 0, 0, 1]] * len(drawn))
    assert (drawn[:, 2:6].sum(0) > 0).all()


@pytest.mark.slow
def test_each_part_of_the_latents_has_its_own_distribution_and_path(visit):
    found = visit("conv_vae").evaluate("""async () => {
        const { drawLatents, interpolate } = await import("./latents.js");
        const parts = [
            { kind: "normal", size: 3, path: "spherical" },
            { kind: "categorical", size: 4, path: "straight" },
            { kind: "uniform", size: 2, low: 2, high: 4, path: "straight" },
        ];
        const seeds = Array.from({ length: 2000 }, (_, seed) => seed);
        const drawn = seeds.map((seed) => drawLatents(parts, seed));
        return { drawn, path: interpolate(parts, drawn[1], drawn[2], 9) };
    }""")
    drawn, path = np.array(found["drawn"]), np.array(found["path"])
    np.testing.assert_allclose(drawn[:, :3].mean(0), 0, atol=0.1)
    np.testing.assert_allclose(drawn[:, :3].std(0), 1, atol=0.1)
    np.testing.assert_array_equal(np.sort(drawn[:, 3:7]), [[0, 0, 0, 1]] * 2000)
    np.testing.assert_allclose(drawn[:, 3:7].mean(0), 0.25, atol=0.05)
    assert drawn[:, 7:].min() >= 2 and drawn[:, 7:].max() < 4
    np.testing.assert_allclose(drawn[:, 7:].mean(0), 3, atol=0.05)
    sphere = interpolate_spherical(drawn[1, :3].astype("f4"), drawn[2, :3].astype("f4"), 9)
    np.testing.assert_allclose(path[:, :3], sphere, atol=1e-5)
    np.testing.assert_allclose(path[:, 3:], np.linspace(drawn[1, 3:], drawn[2, 3:], 9), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv_vae", "cgan", "infogan", "cyclegan"])
def test_of_another_server_the_signatures_tell_what_a_model_can_do(
    name, browser, url, own_servables
):
    with browser.new_page() as page:
        # As TensorFlow Serving answers.
        page.route("**/tfgen/**", lambda route: route.fulfill(status=404, body="Not Found"))
        page.goto(f"{url}/?model={name}&server={url}")
        page.locator("#status", has_text=f"{name}:").wait_for()
        found = page.evaluate(
            """async (name) => {
            const { Model } = await import("./api.js");
            const { abilities, latents } = await new Model(name, "", undefined).load();
            return { abilities: abilities.sort(), latents };
        }""",
            name,
        )
        derived = derive(own_servables[name].signatures)
        asked_for = {"sample", "generate", "choose_labels", "choose_codes"}  # by the page
        assert found["abilities"] == sorted(asked_for.intersection(derived["abilities"]))
        assert found.get("latents") == derived.get("latents")
        expect(page.locator("#prior-choice")).to_be_visible(visible="latents" in derived)


@pytest.mark.slow
def test_latents_are_calculated_with(visit):
    page = visit("conv_vae")
    path, total = picture(page, "path"), picture(page, "sum")
    page.fill("#to", "5")
    page.locator("#to").press("Enter")
    page.fill("#and", "5")
    page.locator("#and").press("Enter")
    page.wait_for_timeout(500)
    assert picture(page, "path") != path and picture(page, "sum") != total


@pytest.mark.slow
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


@pytest.mark.slow
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
        pytest.param(
            "conv_vae", ["encode, mean:", "reconstruct", "score, elbo:"], marks=pytest.mark.slow
        ),
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


@pytest.mark.slow
def test_an_example_is_taken_as_a_file_is(visit):
    page = visit("cyclegan")
    shown = set()
    for name in ("Sneaker", "Ankle boot", "Shirt"):
        page.get_by_role("button", name=name).press("Enter")  # the keyboard is enough
        expect(page.locator("#file")).to_have_value(
            re.compile(f"{name.lower().replace(' ', '_')}.png$")
        )
        page.wait_for_timeout(300)
        shown.add(page.get_by_label("translate_a_to_b").evaluate("canvas => canvas.toDataURL()"))
    assert len(shown) == 3


def test_an_image_can_be_dropped(visit):
    page = visit("cyclegan")
    dropped = page.evaluate_handle("""async () => {
        const files = new DataTransfer();
        files.items.add(new File([await (await fetch("shirt.png")).blob()], "dropped.png"));
        return files;
    }""")
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    expect(page.locator("figcaption", has_text="translate_a_to_b")).to_be_visible()
    expect(page.locator("#file")).to_have_value(re.compile("dropped.png$"))


def test_examples_are_held_out_images():
    held_out = np.load(importlib.resources.files("tfgen.data.embedded") / "fashion_mnist.npz")
    folder = importlib.resources.files("tfgen.serving") / "explorer"
    for name, place in (("sneaker", 104), ("ankle_boot", 28), ("shirt", 7)):
        with PIL.Image.open(folder / f"{name}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), held_out["x_test"][place, ..., 0])


@pytest.mark.slow
def test_hidden_pixels_are_filled_in_and_seen_ones_stay(visit):
    page = visit("conv_vae")
    expect(page.locator("#impute")).to_be_hidden()  # until there is an image

    def fill_in():
        with page.expect_response("**/*:predict"):
            page.get_by_role("button", name="Fill in").press("Enter")
        page.wait_for_timeout(300)
        return pixels(page, "imputed")

    page.get_by_role("button", name="Shirt").press("Enter")
    page.locator("canvas#imputed[width='44']").wait_for()  # five images of 8 pixels
    shown, first = pixels(page, "hiding"), fill_in()
    height, width = shown.shape
    draws = [first[:, index * (width + 1) :][:, :width] for index in range(5)]
    assert np.all(shown[height // 2 :] == 128)  # the lower half is hidden
    for draw in draws:  # rounding of what was sent as a float
        np.testing.assert_allclose(draw[: height // 2], shown[: height // 2], atol=1)
    assert np.abs(draws[0][height // 2 :].astype(int) - draws[1][height // 2 :]).max() > 1
    page.fill("#impute-seed", "1")
    assert not np.array_equal(fill_in(), first)
    page.get_by_role("button", name="Hide nothing").press("Enter")
    whole = pixels(page, "hiding")
    np.testing.assert_allclose(fill_in()[:, :width], whole, atol=1)
    page.locator("#hiding").click()  # a dot in the middle
    wiped = pixels(page, "hiding")
    assert 0 < np.sum(wiped != whole) < wiped.size / 4 and set(wiped[wiped != whole]) == {128}


@pytest.mark.slow
def test_a_conditional_model_encodes_an_image_with_its_label(visit):
    page = visit("cvae")
    page.get_by_role("button", name="Shirt").press("Enter")
    seen = page.locator("figcaption", has_text="encode, mean")
    expect(seen).to_be_visible()
    expect(page.locator("figcaption", has_text="probabilities")).to_be_visible()
    page.locator("canvas#imputed[width='44']").wait_for()  # five images of 8 pixels
    before, filled = seen.inner_text(), picture(page, "imputed")
    page.fill("#image-label", "1")
    with page.expect_response(
        lambda response: "impute" in (response.request.post_data or ""), timeout=10_000
    ):
        page.locator("#image-label").press("Enter")
    page.wait_for_timeout(300)
    assert seen.inner_text() != before and picture(page, "imputed") != filled
    expect(visit("cgan").locator("#impute")).to_be_hidden()


@pytest.mark.slow
def test_the_next_model_answers_the_same_image(visit, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "image.png")
    page = visit("conv_vae")
    page.set_input_files("#file", tmp_path / "image.png")
    expect(page.locator("figcaption", has_text="reconstruct")).to_be_visible()
    for model, answer in (("cgan", None), ("cyclegan", "translate_a_to_b")):
        page.select_option("#model", model)
        page.locator("#status", has_text=f"{model}:").wait_for()
        expect(page.locator("figcaption", has_text="reconstruct")).to_have_count(0)
        if answer:
            expect(page.locator("figcaption", has_text=answer)).to_be_visible()


@pytest.mark.slow
def test_a_file_that_is_no_image_can_be_chosen_again(visit, tmp_path):
    (tmp_path / "image.png").write_text("no image")
    page = visit("conv_vae")
    for _ in range(2):
        page.set_input_files("#file", tmp_path / "image.png")
        expect(page.locator("#status.error")).to_contain_text("could not be decoded")
        expect(page.locator("#file")).to_have_value("")
    page.get_by_role("button", name="Shirt").click()
    expect(page.locator("figcaption", has_text="reconstruct")).to_be_visible()
    expect(page.locator("#status")).to_have_text(re.compile("^conv_vae: "))


@pytest.mark.slow
def test_a_signature_is_shown_once(visit):
    page = visit("cyclegan")
    translations = "score_a, score_b, translate_a_to_b, translate_b_to_a"
    expect(page.locator("#status")).to_have_text(f"cyclegan: {translations}")
    page.get_by_role("button", name="Shirt").click()
    expect(page.locator("#answers figure")).to_have_count(4)
    # Of latents there is one signature, which has no other name.
    expect(visit("conv_vae").locator("#status")).to_contain_text("serving_default")


@pytest.mark.slow
def test_a_model_is_chosen_from_those_that_there_are(visit, browser, url):
    page = visit("cgan")
    choice = page.get_by_role("combobox", name="Model")
    names = "cgan conv_vae cvae cyclegan dall_e_2 diffusion infogan s_vae spatial wide"
    names = ["autoregressive", *names.split()]
    assert choice.locator("option").all_inner_texts() == names
    choice.press("ArrowDown")
    page.locator("#status", has_text="conv_vae:").wait_for()
    with browser.new_page() as page:
        page.goto(f"{url}/?model=nothing")
        told = f"There is no model nothing. The server has: {', '.join(names)}."
        expect(page.locator("#status.error")).to_have_text(told)
        page.select_option("#model", "cgan")
        page.locator("#status", has_text="cgan:").wait_for()


@pytest.mark.slow
def test_a_name_is_typed_where_names_are_unknown(browser, url):
    with browser.new_page() as page:
        # As TensorFlow Serving answers.
        page.route("**/healthz", lambda route: route.fulfill(status=404, body="Not Found"))
        page.goto(f"{url}/?model=cgan&server={url}")
        page.locator("#status", has_text="cgan:").wait_for()
        name = page.get_by_role("textbox", name="Model")
        name.fill("nothing")
        name.press("Enter")
        expect(page.locator("#status.error")).to_contain_text("Could not find any versions")
        expect(page.locator("#explored")).to_have_attribute("inert", "")  # it is another model's
        name.fill("conv_vae")
        name.press("Enter")
        page.locator("#status", has_text="conv_vae:").wait_for()


def test_what_goes_wrong_is_told_until_something_succeeds(visit):
    page = visit("cgan")
    page.fill("#count", "100000")
    page.evaluate("() => document.getElementById('count').removeAttribute('max')")
    page.locator("#count").press("Enter")
    expect(page.locator("#status.error")).to_contain_text("at most 4096 rows. Received: 100000")
    page.fill("#count", "4")
    page.locator("#count").press("Enter")
    expect(page.locator("#status")).to_have_text(re.compile("^cgan: sample, "))
    expect(page.locator("#status")).to_have_class("")


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Wants a token, and sends whoever bears one elsewhere."""

    def do_GET(self):
        bears_token = "authorization" in self.headers
        self.send_response(302 if bears_token else 401)
        if bears_token:
            self.send_header("Location", self.server.elsewhere)
        self._end(b'{"error": "A token is wanted."}')

    def do_OPTIONS(self):
        self.send_response(200)
        self._end(b"")

    def _end(self, content):
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "authorization")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


class Noting(Redirecting):
    """Notes that it was asked."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(401)
        self._end(b"{}")


@contextlib.contextmanager
def listening(handler):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.url, server.asked = f"http://127.0.0.1:{server.server_port}", []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_token_goes_to_the_server_that_the_prompt_names_and_nowhere_else(browser, url):
    with listening(Noting) as other, listening(Redirecting) as asked, browser.new_page() as page:
        asked.elsewhere = other.url
        page.goto(f"{url}/?server={asked.url}")
        token = page.get_by_label(f"Token for {asked.url}")
        token.fill("secret")
        token.press("Enter")
        expect(page.locator("#status.error")).to_contain_text("Failed to fetch")
        assert other.asked == []


def test_a_token_is_asked_for_where_one_is_wanted(browser, tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    (tmp_path / "token").write_text("secret")
    with (
        started(tmp_path, f"--token-file={tmp_path / 'token'}") as (_, url, _),
        browser.new_page() as page,
    ):
        page.goto(url)
        token = page.get_by_label(f"Token for {url}")
        expect(token).to_be_focused()
        expect(page.locator("#status.error")).to_contain_text("Authorization: Bearer")
        expect(page.get_by_role("textbox", name="Model")).to_be_visible()
        token.fill("guessed")
        token.press("Enter")
        expect(page.locator("#status.error")).to_contain_text("Authorization: Bearer")
        expect(token).to_be_focused()
        token.fill("secret")
        token.press("Enter")
        expect(page.locator("#status")).to_have_text("half: serving_default")
        expect(token).to_be_hidden()
        assert page.locator("select#model option").all_inner_texts() == ["half"]
        kept = page.evaluate("() => [document.cookie, localStorage.length, sessionStorage.length]")
        assert kept == ["", 0, 0] and page.url == f"{url}/"


@pytest.mark.slow
def test_captions_are_drawn(visit):
    page = visit("dall_e_2")
    expect(page.locator("#samples")).to_be_hidden()

    def draw(caption, **numbers):
        page.fill("#caption", caption)
        for name, number in numbers.items():
            page.fill(f"#{name.replace('_', '-')}", str(number))
        with page.expect_response("**/*:predict"):
            page.locator("#caption").press("Enter")
        page.wait_for_timeout(300)
        return pixels(page, "drawn")

    first = draw("a dark coat")
    assert first.shape == (8, 8 * 9 - 1)
    for change in ({"drawings_seed": 1}, {"guidance": 0}, {"drawings_steps": 3}):
        before = pixels(page, "drawn")
        assert not np.array_equal(draw("a dark coat", **change), before)
    draw("a green coat")
    expect(page.locator("#status")).to_contain_text("green")
    expect(visit("cgan").locator("#drawings")).to_be_hidden()


@pytest.mark.slow
def test_noise_of_a_model_that_takes_steps_has_no_sliders(visit):
    page = visit("diffusion")
    expect(page.locator("#latents")).to_be_hidden()
    expect(page.locator("#between")).to_be_visible()
    first = picture(page, "path")
    page.fill("#from", "5")
    with page.expect_response("**/*:predict"):
        page.locator("#from").press("Enter")
    page.wait_for_timeout(300)
    assert picture(page, "path") != first


@pytest.mark.slow
def test_a_model_of_pixels_completes_images_and_has_no_sliders(visit):
    page = visit("autoregressive")
    expect(page.locator("#samples")).to_be_visible()
    for name in ("latents", "between"):
        expect(page.locator(f"#{name}")).to_be_hidden()
    page.get_by_role("button", name="Shirt").press("Enter")
    page.locator("canvas#imputed[width='44']").wait_for()  # five images of 8 pixels
    drawn, shown = pixels(page, "imputed"), pixels(page, "hiding")
    for column in range(0, 44, 9):
        np.testing.assert_allclose(drawn[:4, column : column + 8], shown[:4], atol=1)
        assert set(np.unique(drawn[4:, column : column + 8])) <= {0, 255}
