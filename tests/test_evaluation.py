"""Results: from samples to scores with their protocol, which is compared, cached and followed."""

import configparser
import csv
import dataclasses
import fnmatch
import inspect
import io
import json
import os
import pathlib
import re
import signal
import types

import jsonschema
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import CSVLogger, EarlyStopping, LambdaCallback
from PIL import Image

from tests.specimens import SHAPE, assert_same, compiled, images, weights
from tfgen import evaluation
from tfgen.data import Source, source
from tfgen.evaluation import (
    Collection,
    KeepBest,
    ModelFeatures,
    PixelFeatures,
    Protocol,
    Reference,
    Result,
    Sampler,
    Score,
    ScoreSettings,
    Scoring,
    cache,
    compare,
    curves,
    evaluate,
    protocol,
    sampling,
)
from tfgen.evaluation.cache import cached_arrays, cached_features
from tfgen.evaluation.features import checksum_of
from tfgen.evaluation.sampling import as_pixels, to_pixels
from tfgen.evaluation.scores import SCORES
from tfgen.utils.cache import cache_folder

PROTOCOL = Protocol(
    features="pixels",
    features_checksum="",
    preparation="none",
    data="embedded",
    split="test",
    data_preparation="none",
    shape=(8, 8, 1),
    real_count=100,
    real_seed=0,
    real_checksum="abc",
    unreadable=0,
    fake_count=100,
    sample_seeds=(0, 1),
    versions={"tfgen": "1"},
)


def result(generator="vae", *scores, **changes):
    scores = scores or (Score("fid", (3.0, 1.0), 0.0),)
    return Result(generator, scores, dataclasses.replace(PROTOCOL, **changes))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def drawing(sample):
    """A model of which nothing but its samples is known."""
    return types.SimpleNamespace(sample=sample, abilities=frozenset({"sample"}))


def uniform(count, seed):
    return tf.random.stateless_uniform([count, 4, 4, 1], [seed % 2**31, seed >> 32])


def gaussian(count, seed):
    return tf.random.stateless_normal([count, 4, 4, 1], [seed % 2**31, seed >> 32])


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("TFGEN_CACHE", str(folder))
    return folder


# --- Protocols and results


def test_records_are_frozen():
    record = result()
    for part, name in (
        (record, "generator"),
        (record.protocol, "data"),
        (record.scores[0], "name"),
    ):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, "another")


def test_a_score_is_the_mean_over_its_seeds():
    score = Score("one_nn", (1.0, 2.0, 6.0), 0.5)
    assert score.value == 3.0
    assert score.deviation == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert Score("one_nn", (1.0,), 0.5).deviation is None


@pytest.mark.parametrize(
    ("value", "ideal", "distance"),
    [(3.0, None, 3.0), (-3.0, None, -3.0), (0.2, 0.5, 0.3), (1.5, 1.0, 0.5)],
)
def test_the_distance_of_a_score_is_from_its_ideal(value, ideal, distance):
    assert Score("score", (value,), ideal).distance == pytest.approx(distance)


def full_result():
    scores = (
        Score("fid", (3.0, 1.0), 0.0, {}, 0.25, "20 bootstrap samples"),
        Score("negative_elbo", (101.5,), None),
        Score("precision", (0.5, 0.75), 1.0, {"k": 5}),
    )
    return Result("vae", scores, PROTOCOL, {"cut_off": 0.1})


def test_a_result_comes_back_from_json():
    record = full_result()
    content = json.loads(json.dumps(record.to_json(), allow_nan=False))
    read = Result.from_json(content)
    # Equality leaves some fields out.
    assert read == record
    assert dataclasses.asdict(read) == dataclasses.asdict(record)
    assert hash(read.protocol) == hash(record.protocol)
    assert [score["value"] for score in content["scores"]] == [2.0, 101.5, 0.625]
    assert read.to_json() == content


def test_the_schema_knows_every_field_and_is_one():
    schema = json.loads((pathlib.Path(protocol.__file__).parent / "result.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    parts = {
        Protocol: (schema["properties"]["protocol"], set()),
        Score: (schema["properties"]["scores"]["items"], {"value"}),
        Result: (schema, {"schema"}),
    }
    for kind, (described, derived) in parts.items():
        names = {field.name for field in dataclasses.fields(kind)} | derived
        assert set(described["properties"]) == set(described["required"]) == names
        assert described["additionalProperties"] is False


def test_the_schema_is_installed():
    setup = configparser.ConfigParser()
    setup.read(pathlib.Path(__file__).parents[1] / "setup.cfg")
    patterns = setup["options.package_data"]["tfgen.evaluation"].split(",")
    assert any(fnmatch.fnmatch("result.schema.json", pattern.strip()) for pattern in patterns)


def without(content, *path):
    del _at(content, path[:-1])[path[-1]]
    return content


def having(content, value, *path):
    _at(content, path[:-1])[path[-1]] = value
    return content


def _at(content, path):
    for name in path:
        content = content[name]
    return content


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: without(content, "protocol"), "'protocol' is a required property"),
        (lambda content: without(content, "protocol", "split"), "'split' is a required property"),
        (lambda content: without(content, "scores", 0, "values"), "'values' is a required"),
        (lambda content: having(content, 1, "colour"), "'colour' was unexpected"),
        (lambda content: having(content, 1, "protocol", "colour"), "'colour' was unexpected"),
        (lambda content: having(content, 1, "scores", 0, "colour"), "'colour' was unexpected"),
        (lambda content: having(content, 2, "schema"), "1 was expected"),
        (lambda content: having(content, [], "scores"), "should be non-empty"),
        (lambda content: having(content, [], "scores", 0, "values"), "should be non-empty"),
        (lambda content: having(content, "3", "protocol", "fake_count"), "'3' is not of type"),
        (lambda content: having(content, -1, "protocol", "unreadable"), "-1 is less than"),
        (lambda content: [content], "is not of type 'object'"),
    ],
)
def test_what_does_not_follow_the_schema_is_refused(spoil, message):
    content = full_result().to_json()
    with pytest.raises(ValueError, match=f"no result of an evaluation: .*{message}"):
        Result.from_json(spoil(content))


def test_a_result_names_the_scores_it_has():
    record = full_result()
    assert record.score("precision") is record.scores[2]
    with pytest.raises(ValueError, match=r"vae has no score 'kid'. It has: \['fid', 'neg"):
        record.score("kid")


# --- Comparing


@pytest.mark.parametrize(
    ("ideal", "ranked"),
    [
        (None, [-0.25, 0.375, 0.75, 1.125]),
        (0.0, [-0.25, 0.375, 0.75, 1.125]),
        (0.5, [0.375, 0.75, 1.125, -0.25]),
        (1.0, [1.125, 0.75, 0.375, -0.25]),
    ],
)
def test_the_nearest_to_ideal_comes_first(ideal, ranked):
    results = [
        result(str(value), Score("other", (-value,), None), Score("score", (value,), ideal))
        for value in (0.75, -0.25, 1.125, 0.375)
    ]
    found = [each.score("score").value for each in compare(iter(results), "score")]
    assert found == ranked


CHANGES = {
    "features": "inception",
    "features_checksum": "other",
    "preparation": "resized",
    "data": "mnist",
    "split": "train",
    "data_preparation": "made grey",
    "shape": (8, 8, 3),
    "real_count": 99,
    "real_seed": 1,
    "real_checksum": "def",
    "unreadable": 1,
    "fake_count": 99,
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("generator", ["gan", "vae"])
def test_what_was_measured_otherwise_is_not_ranked(name, generator):
    results = [result(), result(generator, **{name: CHANGES[name]}), result("kde")]
    seen = f"{name} (vae: {getattr(PROTOCOL, name)}, {generator}: {CHANGES[name]}, kde: "
    with pytest.raises(ValueError, match=re.escape(seen)) as caught:
        compare(results, "fid")
    named = re.findall(r"(\w+) \(vae: ", str(caught.value))
    assert named == [name]


def test_every_difference_is_named():
    with pytest.raises(ValueError, match="cannot be ranked by 'fid'") as caught:
        compare([result(), result("gan", **CHANGES)], "fid")
    for name in CHANGES:
        assert f"{name} (vae:" in str(caught.value)


def test_versions_and_sample_seeds_may_differ():
    results = [result(), result("gan", versions={"tfgen": "2"}, sample_seeds=(7,))]
    assert compare(results, "fid") == results


def test_every_field_of_a_protocol_is_compared_or_known_to_be_noted_only():
    fields = {field.name for field in dataclasses.fields(Protocol)}
    assert fields - set(CHANGES) == {"versions", "sample_seeds"}


def test_options_must_agree_for_the_score_that_has_them():
    results = [
        result(f"k={k}", Score("fid", (float(k),), 0.0), Score("precision", (0.5,), 1.0, {"k": k}))
        for k in (5, 3)
    ]
    assert compare(results, "fid") == results[::-1]
    with pytest.raises(ValueError, match=re.escape("k (k=5: 5, k=3: 3)")):
        compare(results, "precision")
    lacking = result("old", Score("precision", (0.5,), 1.0))
    with pytest.raises(ValueError, match=re.escape("k (old: None, k=5: 5)")):
        compare([lacking, results[0]], "precision")


def test_a_score_that_one_lacks_is_not_ranked():
    with pytest.raises(ValueError, match="gan has no score 'fid'"):
        compare([result(), result("gan", Score("kid", (1.0,), 0.0))], "fid")


# --- The cache


def counted(value):
    """A function to be cached, and the list of its calls."""
    calls = []

    def compute():
        calls.append(value)
        return {"features": np.full([2, 3], value), "count": np.int64(2)}

    return compute, calls


def test_what_is_cached_is_computed_once(own_cache):
    compute, calls = counted(0.5)
    first, second = cached_arrays("key", compute), cached_arrays("key", compute)
    assert len(calls) == 1
    assert list(first) == list(second) == ["features", "count"]
    np.testing.assert_array_equal(second["features"], np.full([2, 3], 0.5))
    other = cached_arrays("another", counted(0.25)[0])
    assert other["features"][0, 0] == 0.25
    visible = {path.name for path in own_cache.iterdir() if not path.name.startswith(".")}
    assert visible == {"key.npz", "another.npz"}


def test_a_damaged_file_is_computed_anew(own_cache):
    cached_arrays("key", counted(0.5)[0])
    path = own_cache / "key.npz"
    whole = path.read_bytes()
    for damaged in (
        whole[:100],
        whole[:-1],
        b"",
        b"text",
        whole.replace(b"\xe0\x3f", b"\xe0\x3e", 1),
    ):
        assert damaged != whole
        path.write_bytes(damaged)
        compute, calls = counted(0.5)
        assert cached_arrays("key", compute)["features"].tolist() == [[0.5] * 3] * 2
        assert len(calls) == 1
        assert path.read_bytes() == whole


def test_no_single_wrong_bit_is_read_as_another_number(own_cache):
    cached_arrays("key", lambda: {"features": np.arange(3.0)})
    path = own_cache / "key.npz"
    whole = path.read_bytes()
    for index in range(len(whole)):
        for bit in (1, 8, 128):
            path.write_bytes(whole[:index] + bytes([whole[index] ^ bit]) + whole[index + 1 :])
            read = cache._read(path)
            assert read is None or read["features"].tolist() == [0.0, 1.0, 2.0]


def test_what_fails_is_not_kept(own_cache):
    def fail():
        raise KeyError("no features today")

    with pytest.raises(KeyError, match="today"):
        cached_arrays("key", fail)
    assert len(cached_arrays("key", counted(1.0)[0])) == 2


class CountedFeatures(PixelFeatures):
    """Pixels, as dear as a network's features."""

    name = "counted"
    checksum = "1"

    def __init__(self):
        self.calls = []

    def __call__(self, images, **options):
        self.calls.append(len(images))
        return super().__call__(images, **options)


def test_features_are_found_by_content(own_cache):
    features = CountedFeatures()
    pixels = np.random.default_rng(0).integers(0, 256, [5, 4, 4, 1], np.uint8)
    found = cached_features(features, Source(pixels))
    np.testing.assert_array_equal(found, pixels.reshape(5, 16) / np.float32(255))
    np.testing.assert_array_equal(
        cached_features(features, Source(pixels.copy(), labels=np.arange(5))), found
    )
    assert len(features.calls) == 1
    changed = pixels.copy()
    changed[3, 2, 1, 0] ^= 1
    shaped = pixels.reshape(5, 2, 8, 1)
    for number, different in enumerate((changed, shaped, pixels[::-1], pixels[:4]), 2):
        cached_features(features, Source(different))
        assert len(features.calls) == number


def test_features_are_found_by_their_network(own_cache):
    model = keras.Sequential(
        [keras.Input([4, 4, 1]), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    real = Source(noise(5, 4, 4, 1))
    before = cached_features(ModelFeatures(model, "mine"), real)
    np.testing.assert_array_equal(cached_features(ModelFeatures(model, "mine"), real), before)
    model.layers[-1].bias.assign([1.0, 1.0])
    after = cached_features(ModelFeatures(model, "mine"), real)
    np.testing.assert_allclose(after, before + 1, rtol=1e-5)


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_is_in_the_home_folder_unless_told_otherwise(value, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TFGEN_CACHE")
    if value is not None:
        monkeypatch.setenv("TFGEN_CACHE", value)
    assert cache_folder() == tmp_path / ".cache" / "tfgen"
    monkeypatch.setenv("TFGEN_CACHE", "~/elsewhere")
    assert cache_folder() == tmp_path / "elsewhere"


def in_another_process(work):
    """Runs `work(tell)` in a process, and returns its id once it has told."""
    hear, tell = os.pipe()
    process = os.fork()
    if not process:
        try:
            work(lambda: os.write(tell, b"."))
        finally:
            os._exit(0)
    os.read(hear, 1)
    os.close(hear)
    os.close(tell)
    return process


forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forks
def test_of_two_processes_one_computes_and_the_other_waits(own_cache):
    def work(tell):
        def compute():
            tell()
            signal.sigtimedwait([], 0.5)
            return {"process": np.array(os.getpid())}

        cached_arrays("key", compute)

    process = in_another_process(work)
    compute, calls = counted(0.5)
    found = cached_arrays("key", compute)  # while the other is at it
    os.waitpid(process, 0)
    assert found["process"] == process
    assert not calls


@forks
def test_a_process_that_was_killed_keeps_nobody_waiting(own_cache):
    def work(tell):
        def compute():
            tell()
            signal.pause()

        cached_arrays("key", compute)

    process = in_another_process(work)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    compute, calls = counted(0.5)
    assert len(cached_arrays("key", compute)) == 2
    assert len(calls) == 1


# --- A part of a source


def test_a_subset_is_drawn_without_replacement_in_order():
    pixels = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    whole = Source(pixels, labels=np.arange(50) + 100)
    part = whole.subset(20, seed=3)
    chosen = part.images.reshape(-1).astype(int)
    assert len(part) == len(set(chosen)) == 20
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(part.labels, chosen + 100)
    np.testing.assert_array_equal(whole.subset(20, seed=3).images, part.images)
    assert not np.array_equal(whole.subset(20, seed=4).images, part.images)
    np.testing.assert_array_equal(whole.subset(50, seed=3).images, pixels)
    assert Source(pixels).subset(5).labels is None
    assert dataclasses.replace(whole, unreadable=7).subset(5).unreadable == 7


def test_every_example_is_as_likely_to_be_in_a_subset():
    whole = Source(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1))
    chosen = np.concatenate([whole.subset(4, seed).images.reshape(-1) for seed in range(500)])
    # 200 each; four standard deviations of the binomial law are 44.
    np.testing.assert_allclose(np.bincount(chosen), 200, atol=44)


@pytest.mark.parametrize("count", [0, -1, 6])
def test_a_subset_cannot_be_empty_or_larger(count):
    with pytest.raises(ValueError, match=f"from 1 to the 5 examples. Received: count={count}"):
        Source(noise(5, 2)).subset(count)


# --- Samples


@pytest.mark.parametrize("count", [1, 3, 6, 7])
def test_samples_come_in_chunks_that_do_not_repeat(count, monkeypatch):
    monkeypatch.setattr(sampling, "_CHUNK", 3)
    asked = []

    def sample(count, seed):
        asked.append(count)
        return uniform(count, seed)

    drawn, cut = Sampler("uniform", drawing(sample)).sample(count, seed=0)
    assert sum(asked) == len(drawn) == count and max(asked) <= 3
    assert drawn.images.dtype == np.uint8 and cut == 0.0
    assert len({image.tobytes() for image in drawn.images}) == count


def test_samples_are_a_function_of_the_seed(monkeypatch):
    monkeypatch.setattr(sampling, "_CHUNK", 3)
    sampler = Sampler("uniform", drawing(uniform))
    first, again = sampler.sample(7, seed=0)[0].images, sampler.sample(7, seed=0)[0].images
    with pytest.warns(FutureWarning, match="`draw` is now called `sample`"):
        np.testing.assert_array_equal(sampler.draw(7, seed=0)[0].images, first)
    np.testing.assert_array_equal(first, again)
    # No image of one seed is an image of another, in whatever chunk.
    both = np.concatenate([first, sampler.sample(7, seed=1)[0].images])
    assert len({image.tobytes() for image in both}) == 14


def test_a_model_draws_seeds_that_fit():
    model = compiled("mlp_vae")
    drawn, cut = Sampler("vae", model).sample(5, seed=2**40)
    assert drawn.shape == SHAPE and cut == 0.0


def test_images_are_rounded_to_the_nearest_of_eight_bits():
    grey = np.array([0.0, 0.0019, 0.002, 0.5, 0.998, 0.9981, 1.0], np.float32)
    drawn, cut = to_pixels(grey.reshape(7, 1, 1, 1))
    assert drawn.reshape(-1).tolist() == [0, 0, 1, 128, 254, 255, 255]
    assert cut == 0.0


def test_what_leaves_the_range_is_cut_off_and_counted():
    grey = np.array([-3.0, 0.0, 0.5, 1.0, 1.0001, 2.0, -1e-6, 0.25], np.float32)
    drawn, cut = to_pixels(grey.reshape(2, 2, 2, 1))
    assert drawn.reshape(-1).tolist() == [0, 0, 128, 255, 255, 255, 0, 64]
    assert cut == 0.5
    _, cut = Sampler("gaussian", drawing(gaussian)).sample(1100, seed=0)
    assert cut == pytest.approx(0.5 + 0.158655, abs=0.01)  # P(x < 0) + P(x > 1)


def test_bytes_and_vectors_stay_as_they_are():
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    assert as_pixels(Source(pixels)).images is pixels
    vectors = np.array([[-3.0, 7.5], [0.1, 0.2]], np.float32)
    drawn, cut = to_pixels(vectors)
    np.testing.assert_array_equal(drawn, vectors)
    assert cut == 0.0


def test_samples_in_memory_are_those_of_their_files(tmp_path):
    drawn, _ = Sampler("uniform", drawing(uniform)).sample(12, seed=0)
    chunk = uniform(12, int(np.random.SeedSequence(0).generate_state(1, np.uint64)[0] >> 1))
    for index, image in enumerate(chunk):
        rounded = np.floor(255 * image.numpy() + 0.5).astype(np.uint8)  # as torchvision writes it
        Image.fromarray(rounded[..., 0]).save(tmp_path / f"{index:02d}.png")
    np.testing.assert_array_equal(source(f"folder:{tmp_path}", "all").images, drawn.images)


@pytest.mark.parametrize("shape", [(4, 2, 2, 1), (4, 3)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_must_be_finite(shape, value):
    def sample(count, seed):
        samples = np.zeros(shape, np.float32)
        samples[2].flat[0] = value
        return samples

    with pytest.raises(ValueError, match="1 of 4 examples hold NaN or infinity, .* at index 2"):
        Sampler("broken", drawing(sample)).sample(4, seed=0)


def test_samples_must_be_floats_or_bytes():
    with pytest.raises(ValueError, match="Expected uint8 pixels or floats. .*int64"):
        Sampler("integers", drawing(lambda count, seed: np.full([count, 4, 4, 1], 200))).sample(
            2, 0
        )


def test_some_sample_must_be_wanted():
    with pytest.raises(ValueError, match="`count` must be at least 1. Received: count=0"):
        Sampler("uniform", drawing(uniform)).sample(0, seed=0)


def test_a_collection_gives_a_part_of_what_it_has():
    whole = Source(np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1))
    drawn, cut = Collection("numbers", whole).sample(8, seed=1)
    np.testing.assert_array_equal(drawn.images, whole.subset(8, seed=1).images)
    assert cut == 0.0
    with pytest.warns(FutureWarning, match="`draw` is now called `sample`"):
        again, _ = Collection("numbers", whole).draw(8, seed=1)
    np.testing.assert_array_equal(again.images, drawn.images)
    grey, _ = Collection("floats", Source(np.full([3, 2, 2, 1], 0.5, np.float32))).sample(3, seed=0)
    assert grey.images.dtype == np.uint8 and (grey.images == 128).all()
    with pytest.raises(ValueError, match="from 1 to the 20 examples. Received: count=21"):
        Collection("numbers", whole).sample(21, seed=0)


# --- The evaluator


REAL = Source(np.random.default_rng(5).integers(0, 256, [24, 4, 4, 1], np.uint8))


def scored(generator=None, reference=None, features=None, **options):
    generator = generator or Sampler("uniform", drawing(uniform))
    return evaluate(generator, reference or Reference(REAL), features or PixelFeatures(), **options)


class ClassFeatures(PixelFeatures):
    """Pixels, whose first decides between two classes."""

    name = "classes"

    def probabilities(self, images):
        first = self(images)[:, :1]
        return np.concatenate([first, 1 - first], axis=1)


def test_a_result_tells_its_protocol():
    reference = Reference(dataclasses.replace(REAL, unreadable=2), "embedded", "test", seed=4)
    generator = Sampler("gaussian", drawing(gaussian))
    record = scored(generator, reference, scores=["frechet"], count=30, seeds=range(2))
    assert record.generator == "gaussian"
    told = record.protocol
    assert (told.features, told.features_checksum, told.preparation) == ("pixels", "", "none")
    assert (told.data, told.split, told.shape) == ("embedded", "test", (4, 4, 1))
    assert (told.real_count, told.real_seed, told.unreadable) == (24, 4, 2)
    assert (told.fake_count, told.sample_seeds) == (30, (0, 1))
    assert re.fullmatch("[0-9a-f]{32}", told.real_checksum)
    assert told.versions["keras"] == keras.__version__
    cuts = [generator.sample(30, seed)[1] for seed in range(2)]
    assert cuts[0] != cuts[1]
    assert record.details["cut_off"] == max(cuts)
    assert Result.from_json(record.to_json()) == record


def test_the_checksum_of_the_real_examples_is_of_their_content():
    changed = REAL.images.copy()
    changed[0, 0, 0, 0] ^= 1
    sums = [
        scored(reference=Reference(Source(pixels)), scores=["moments"]).protocol.real_checksum
        for pixels in (REAL.images, REAL.images.copy(), changed)
    ]
    assert sums[0] == sums[1] != sums[2]


def test_every_seed_gives_a_value():
    record = scored(scores=["frechet", "moments"], seeds=(3, 4, 5))
    alone = [scored(scores=["frechet"], seeds=[seed]).scores[0] for seed in (3, 4, 5)]
    score = record.score("pixels_frechet_distance")
    assert score.values == tuple(each.value for each in alone)
    assert len(set(score.values)) == 3
    assert score.deviation == pytest.approx(np.std(score.values, ddof=1))
    assert [len(each.values) for each in record.scores] == [3] * 4


def test_scores_are_those_of_the_functions_on_features():
    features = ClassFeatures()
    fake = Sampler("uniform", drawing(uniform)).sample(24, seed=0)[0]
    record = scored(
        features=features,
        scores=["frechet", "kernel", "classes", "prdc", "prd", "one_nn", "moments"],
        settings=ScoreSettings(k=3, splits=4),
    )
    both = features(REAL), features(fake)
    precision, recall = evaluation.precision_recall(*both, k=3)
    density, coverage = evaluation.density_coverage(*both, k=3)
    total, real, generated = evaluation.nearest_neighbour_score(*both)
    matching = evaluation.moment_matching(*both)
    curve = evaluation.precision_recall_curve(*both, seed=0)
    kernel, kernel_error = evaluation.kernel_distance(*both)
    confident, deviation = evaluation.inception_score(features.probabilities(fake), splits=4)
    expected = {
        "classes_frechet_distance": (evaluation.frechet_distance(*both), 0.0, {}, None),
        "classes_kernel_distance": (kernel, 0.0, {"subsets": "none"}, kernel_error),
        "classes_score": (confident, 2.0, {"splits": 4}, deviation),
        "precision": (precision, 1.0, {"k": 3}, (precision * (1 - precision) / 24) ** 0.5),
        "recall": (recall, 1.0, {"k": 3}, (recall * (1 - recall) / 24) ** 0.5),
        "density": (density, 1.0, {"k": 3}, None),
        "coverage": (coverage, 1.0, {"k": 3}, (coverage * (1 - coverage) / 24) ** 0.5),
        "f_8": (curve.f_8, 1.0, {"clusters": 20, "runs": 10, "seed": 0}, None),
        "f_1_8": (curve.f_1_8, 1.0, {"clusters": 20, "runs": 10, "seed": 0}, None),
        "f_1": (curve.f_1, 1.0, {"clusters": 20, "runs": 10, "seed": 0}, None),
        "one_nn": (total, 0.5, {}, (total * (1 - total) / 48) ** 0.5),
        "one_nn_real": (real, 0.5, {}, (real * (1 - real) / 24) ** 0.5),
        "one_nn_fake": (generated, 0.5, {}, (generated * (1 - generated) / 24) ** 0.5),
        "pixel_mean_error": (matching.mean, 0.0, {}, None),
        "pixel_covariance_error": (matching.covariance, 0.0, {}, None),
        "pixel_deviation_error": (matching.deviation, 0.0, {}, None),
    }
    assert [score.name for score in record.scores] == list(expected)
    for score in record.scores:
        value, ideal, options, error = expected[score.name]
        assert score.value == pytest.approx(value, rel=1e-9), score.name
        assert (score.ideal, score.options) == (ideal, options), score.name
        assert score.standard_error == pytest.approx(error), score.name
        assert (score.standard_error is None) == (score.error_from is None), score.name
    assert Result.from_json(record.to_json()) == record


def test_the_noted_options_of_the_curve_are_those_it_is_computed_with():
    taken = inspect.signature(curves.precision_recall_curve).parameters
    options = scored(scores=["prd"], settings=ScoreSettings(seed=6)).score("f_8").options
    assert options == {
        "clusters": taken["clusters"].default,
        "runs": taken["runs"].default,
        "seed": 6,
    }


@pytest.mark.slow
def test_a_standard_error_by_the_bootstrap_is_about_that_of_fresh_samples():
    deviation = scored(scores=["frechet"], seeds=range(20)).scores[0].deviation
    score, again, other = (
        scored(scores=["frechet"], settings=ScoreSettings(bootstrap=30, seed=seed)).scores[0]
        for seed in (0, 0, 1)
    )
    assert score.error_from == "30 bootstrap samples"
    # Drawn anew are the samples alone, by the bootstrap the real examples too.
    assert 0.7 < score.standard_error / deviation < 3
    assert score.standard_error == again.standard_error != other.standard_error


@pytest.mark.parametrize("bootstrap", [-1, 1])
def test_a_bootstrap_needs_two_draws(bootstrap):
    with pytest.raises(ValueError, match=f"0 or at least 2. Received: bootstrap={bootstrap}"):
        ScoreSettings(bootstrap=bootstrap)


def test_features_are_computed_once_for_all_scores(own_cache):
    features = CountedFeatures()
    scored(features=features, scores=["frechet", "kernel", "prdc"], count=10, seeds=(0, 1))
    assert sorted(features.calls) == [10, 10, 24]


def test_scores_of_the_likelihood_come_from_the_model():
    model = compiled("mlp_vae")
    real, novel = as_pixels(Source(images(12))), Source(np.zeros([9, *SHAPE], np.uint8))
    record = evaluate(
        Sampler("vae", model),
        Reference(real),
        PixelFeatures(),
        ["elbo", "reconstruction", "latents", "novelty"],
        novel=novel,
    )
    errors = evaluation.reconstruction_errors(model, real)
    bounds = evaluation.elbos(model, real)
    elbo, reconstruction = record.score("negative_elbo"), record.score("reconstruction_error")
    assert elbo.value == pytest.approx(-bounds.mean(), rel=1e-5) and elbo.ideal is None
    assert elbo.standard_error == pytest.approx(bounds.std(ddof=1) / 12**0.5, rel=1e-4)
    assert reconstruction.value == pytest.approx(errors.mean(), rel=1e-5)
    units = evaluation.active_units(model, real)
    assert record.score("active_units").value == units.sum()
    assert record.score("active_units").ideal == 3.0
    by_reconstruction = evaluation.novelty_auroc(
        errors, evaluation.reconstruction_errors(model, novel)
    )
    by_elbo = evaluation.novelty_auroc(-bounds, -evaluation.elbos(model, novel))
    assert record.score("novelty_auroc_by_reconstruction").value == by_reconstruction
    assert record.score("novelty_auroc_by_elbo").value == by_elbo
    assert Result.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": ["frechett"]}, "no score 'frechett'. Did you mean 'frechet'"),
        ({"scores": ["frechet", "xyz"]}, f"no score 'xyz'. There are: {', '.join(sorted(SCORES))}"),
        ({"seeds": ()}, "`seeds` must hold at least one integer. Received: none"),
        ({"count": 0}, "`count` must be at least 1. Received: count=0"),
        ({"count": 1, "scores": ["frechet"]}, "at least 2 samples. Received: 1"),
        ({"scores": ["classes"]}, "features 'pixels' have no classes"),
        ({"scores": ["elbo"]}, "score 'elbo' needs a model that can bound the log-likelihood"),
        ({"scores": ["likelihood"]}, "score 'likelihood' needs a model that can tell the log-lik"),
        ({"scores": ["reconstruction"]}, "score 'reconstruction' needs a model that can reconstr"),
        ({"scores": ["latents"]}, "score 'latents' needs a model that can encode"),
        ({"scores": ["prior_gap"]}, "score 'prior_gap' needs a model that can bound"),
        ({"scores": ["retrieval"]}, "score 'retrieval' needs a model that can encode"),
        (
            {"scores": ["retrieval"], "generator": Sampler("vae", compiled("mlp_vae"))},
            "Retrieval is scored by labels. The real examples have none",
        ),
        ({"scores": ["novelty"]}, "score 'novelty' needs a model that can reconstr"),
        (
            {"scores": ["novelty"], "generator": Sampler("vae", compiled("mlp_vae"))},
            "examples of another kind. Pass them as `novel`",
        ),
        (
            {"reference": Reference(Source(noise(5, 4, 4, 3)), "colours")},
            r"Received: \[4, 4, 1\] from uniform and \[4, 4, 3\] of colours",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        scored(**options)


# --- Callback


def scripted(*values, name="fid", ideal=0.0, protocol=PROTOCOL):
    """A scoring with known values, one after the other."""
    left = list(values)

    class Scripted:
        def check(self, model):
            pass

        def __call__(self, model):
            first = Score(name, (left.pop(0),), ideal)
            return Result("scripted", (first, Score("other", (7.0,), None)), protocol)

    return Scripted()


def fit(*callbacks, epochs=3, **options):
    model = compiled("mlp_vae")
    model.run_eagerly = True  # saves the second that tracing takes
    data = images(8)
    model.fit(
        data, batch_size=8, shuffle=False, epochs=epochs, verbose=0, callbacks=callbacks, **options
    )
    return model


def scoring(**options):
    return Scoring(Reference(Source(images(10))), PixelFeatures(), **{"count": 10, **options})


def test_the_best_weights_are_kept_and_known(tmp_path):
    path = tmp_path / "new" / "best.weights.h5"
    kept = []
    see = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(see.model.get_weights()))
    fit(KeepBest(path, scripted(3.0, 1.0, 1.0, 2.0)), see, epochs=4)
    record = json.loads((tmp_path / "new" / "best.weights.json").read_text())
    assert record.pop("epoch") == 2
    assert [score.value for score in Result.from_json(record).scores] == [1.0, 7.0]
    assert Result.from_json(record).protocol == PROTOCOL
    model = compiled("mlp_vae", seed=1)
    model.load_weights(path)
    for found, second, third in zip(model.get_weights(), kept[1], kept[2], strict=True):
        np.testing.assert_array_equal(found, second)
        assert found.ndim < 2 or not np.array_equal(found, third)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "best.weights.h5",
        "best.weights.json",
    ]


def test_the_best_is_the_nearest_to_the_ideal_of_the_first_score(tmp_path):
    fit(KeepBest(tmp_path / "best.weights.h5", scripted(0.1, 0.6, 0.95, ideal=0.5)))
    record = json.loads((tmp_path / "best.weights.json").read_text())
    assert (record["epoch"], record["scores"][0]["value"]) == (2, 0.6)


def test_keep_best_refuses_before_training_what_a_model_cannot_do(tmp_path):
    keep = KeepBest(tmp_path / "best.weights.h5", scoring(scores=["frechet", "elbo"]))
    keep.set_model(compiled("gan"))
    with pytest.raises(ValueError, match="'elbo' needs a model that can bound.*Received: a GAN"):
        keep.on_train_begin()


class Repairer:
    """Stands for a model that reconstructs, and can neither be sampled nor asked for more."""

    name = "repairer"
    abilities = frozenset({"reconstruct"})

    def reconstruct(self, images):
        return 0.5 * images


def test_a_model_that_only_reconstructs_has_the_scores_of_that_alone():
    sampler, real = Sampler("repairer", Repairer()), Reference(Source(noise(5, 4, 4, 1)))
    score = evaluate(sampler, real, PixelFeatures(), ["reconstruction"]).score(
        "reconstruction_error"
    )
    pixels = as_pixels(real.source).images / 255
    assert score.value == pytest.approx(np.square(pixels / 2).sum() / 5, rel=1e-5)
    with pytest.raises(ValueError, match="'frechet' needs a model that can make new examples"):
        evaluate(sampler, real, PixelFeatures(), ["reconstruction", "frechet"])
    with pytest.raises(ValueError, match="Sampling 'repairer' needs.*a Repairer, which can: recon"):
        sampler.sample(2, seed=0)


def test_an_object_of_ones_own_is_told_to_declare_what_it_can_do():
    foreign = types.SimpleNamespace(sample=uniform)
    with pytest.raises(ValueError, match=r"nothing known.*`abilities = frozenset\({'sample'}\)`"):
        Sampler("foreign", foreign).sample(2, seed=0)


def test_a_resumed_run_knows_the_best_before(tmp_path):
    path, record = tmp_path / "best.weights.h5", tmp_path / "best.weights.json"
    fit(KeepBest(path, scripted(2.0, 1.0)), epochs=2)
    before = path.read_bytes()
    fit(KeepBest(path, scripted(1.5, 1.0)), epochs=4, initial_epoch=2)
    assert json.loads(record.read_text())["epoch"] == 2
    assert path.read_bytes() == before
    fit(KeepBest(path, scripted(1.5, 0.5)), epochs=6, initial_epoch=4)
    assert json.loads(record.read_text())["epoch"] == 6


def test_it_scores_every_few_epochs(tmp_path):
    epochs = []
    see = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append((epoch + 1, "fid" in logs)))
    fit(KeepBest(tmp_path / "best.weights.h5", scripted(1.0, 2.0), every=2), see, epochs=5)
    assert epochs == [(1, False), (2, True), (3, False), (4, True), (5, False)]


def test_weights_kept_by_another_score_are_not_overwritten(tmp_path):
    path = tmp_path / "best.weights.h5"
    fit(KeepBest(path, scripted(5.0)), epochs=1)
    kept = path.read_bytes()
    with pytest.raises(ValueError, match="kept by another scoring: scripted has no score 'kid'"):
        fit(KeepBest(path, scripted(1.0, name="kid")), epochs=1)
    fewer = dataclasses.replace(PROTOCOL, fake_count=7)
    with pytest.raises(ValueError, match="kept by another scoring: .*fake_count"):
        fit(KeepBest(path, scripted(1.0, protocol=fewer)), epochs=1)
    assert path.read_bytes() == kept


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_must_be_finite(value):
    with pytest.raises(ValueError, match="score 'fid' must be finite. Received: .*(nan|inf)"):
        Score("fid", (1.0, value), 0.0)


def test_float_images_of_reference_and_collection_are_rounded_alike():
    real = Source(images(12))
    record = evaluate(Collection("copy", real), Reference(real), PixelFeatures(), ["moments"])
    assert record.score("pixel_covariance_error").value == 0
    assert record.protocol.real_checksum == checksum_of([np.uint8(np.rint(real.images * 255))])


def test_features_of_samples_are_kept_only_if_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path))
    inputs = keras.Input(SHAPE)
    network = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    features = ModelFeatures(network, "own")
    real = Reference(Source(images(12)))
    sampler = Sampler("vae", compiled("mlp_vae"))
    evaluate(sampler, real, features, ["frechet"], keep=False)
    assert len(list(tmp_path.glob("*.npz"))) == 1
    evaluate(sampler, real, features, ["frechet"])
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_callbacks_behind_find_the_scores(tmp_path):
    stop = EarlyStopping("fid", mode="min", patience=1)
    log = tmp_path / "log.csv"
    keep = KeepBest(tmp_path / "best.weights.h5", scripted(3.0, 2.0, 2.5, 1.0))
    model = fit(keep, CSVLogger(log), stop, epochs=4)
    rows = list(csv.DictReader(io.StringIO(log.read_text())))
    assert [(row["fid"], row["other"]) for row in rows] == [
        ("3.0", "7.0"),
        ("2.0", "7.0"),
        ("2.5", "7.0"),
    ]
    assert model.history.history["fid"] == [3.0, 2.0, 2.5]


def test_scoring_does_not_disturb_training(tmp_path):
    keep = KeepBest(tmp_path / "best.weights.h5", scoring(scores=["frechet", "prdc"]))
    watched, alone = fit(keep), fit()
    assert_same(weights(watched), weights(alone))
    assert int(watched.step.numpy()) == 3
    assert set(watched.history.history) - set(alone.history.history) == {
        *("pixels_frechet_distance", "precision", "recall", "density", "coverage")
    }


def test_scoring_is_the_same_every_time_and_depends_on_the_model():
    model = compiled("mlp_vae")
    first, again = scoring()(model), scoring()(model)
    assert first == again
    assert scoring(seed=1)(model).scores != first.scores
    assert scoring()(fit()).scores != first.scores
    expected = evaluate(
        Sampler("vae", model), Reference(Source(images(10))), PixelFeatures(), ["frechet"], 10
    )
    assert first.scores == expected.scores


def test_scoring_refuses_unknown_scores_before_training():
    with pytest.raises(ValueError, match="no score 'fid'"):
        scoring(scores=["fid"])


@pytest.mark.parametrize(
    ("path", "every", "message"),
    [
        ("best.weights.h5", 0, "`every` must be at least 1. Received: every=0"),
        ("best.keras", 1, "`path` must end in '.weights.h5'. Received: 'best.keras'"),
    ],
)
def test_keep_best_refuses(path, every, message):
    with pytest.raises(ValueError, match=message):
        KeepBest(path, scripted(), every)


def test_keep_best_needs_a_folder_that_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Nothing can be written to the folder"):
        KeepBest(tmp_path / "file" / "best.weights.h5", scripted())


# --- In `model.evaluate`


def test_a_model_evaluates_with_scores():
    model = compiled("mlp_vae")
    model.run_eagerly = True
    data, wanted = images(8), scoring(scores=["frechet", "one_nn"])
    losses = model.evaluate(data, batch_size=4, verbose=0, return_dict=True)
    logs = model.evaluate(data, batch_size=4, verbose=0, scores=wanted, return_dict=True)
    names = ["pixels_frechet_distance", "one_nn", "one_nn_real", "one_nn_fake"]
    assert list(logs) == [*losses, *names]
    assert {name: logs[name] for name in losses} == losses
    assert [logs[name] for name in names] == [score.value for score in wanted(model).scores]
    plain = model.evaluate(data, batch_size=4, verbose=0)
    listed = model.evaluate(data, batch_size=4, verbose=0, scores=wanted)
    assert listed == [*plain, *(logs[name] for name in names)]  # in the order without scores
