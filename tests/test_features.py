"""Features: batches make no difference, Inception is Inception, the classifier learns."""

import io
import os
import random
import re
import shutil
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.data import Source
from tfgen.evaluation import classifier, inception, inception_weights
from tfgen.evaluation.classifier import ClassifierFeatures
from tfgen.evaluation.features import Features, ModelFeatures, PixelFeatures, checksum_of
from tfgen.evaluation.inception import (
    InceptionFeatures,
    array_names,
    inception_network,
    load_weights,
    prepare,
)
from tfgen.evaluation.inception_weights import CLASS_WEIGHTS, read_weights


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


class CountedFeatures(Features):
    """The sum of an image's values, and how often it was traced."""

    name = "sums"
    checksum = ""
    traces = 0

    def extract(self, images):
        self.traces += 1
        return tf.reduce_sum(images, axis=[1, 2])


# --- What all features have in common


def test_pixels_are_the_images_as_vectors():
    images = noise(5, 3, 4, 2)
    features = PixelFeatures()(images)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, images.reshape(5, 24))
    np.testing.assert_array_equal(PixelFeatures()(noise(4, 7)), noise(4, 7))


def test_arrays_sources_and_data_sets_give_the_same_features():
    pixels = np.random.default_rng(0).integers(0, 256, [7, 3, 4, 1], np.uint8)
    expected = pixels.reshape(7, 12) / np.float32(255)
    dataset = tf.data.Dataset.from_tensor_slices((expected.reshape(7, 3, 4, 1), np.arange(7)))
    unbatched = dataset.take(5)
    for images in (pixels, Source(pixels, np.arange(7)), dataset.batch(3)):
        np.testing.assert_allclose(PixelFeatures()(images), expected, rtol=1e-6)
    np.testing.assert_allclose(PixelFeatures()(unbatched.batch(2)), expected[:5], rtol=1e-6)


def test_one_tracing_serves_all_batches_and_each_image_shape_has_its_own():
    features = CountedFeatures()
    for count, shape in ((7, (4, 4, 1)), (2, (4, 4, 1)), (5, (4, 4, 3)), (3, (6, 5, 3))):
        images = noise(count, *shape)
        np.testing.assert_allclose(
            features(images, batch_size=3), images.sum(axis=(1, 2)), rtol=1e-5
        )
    assert features.traces == 3


def test_features_of_the_same_weights_differ_by_nothing_but_the_batch_size():
    network = keras.Sequential([keras.Input([4, 4, 1]), keras.layers.Conv2D(2, 3)])
    features = ModelFeatures(network, "mine")
    images = noise(7, 4, 4, 1)
    whole = features(images, batch_size=7)
    assert whole.shape == (7, 8)
    np.testing.assert_allclose(features(images, batch_size=2), whole, rtol=1e-5)
    np.testing.assert_allclose(whole, network(images).numpy().reshape(7, 8), rtol=1e-5)


def test_features_of_a_model_are_single_precision_and_know_its_weights():
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
    features = ModelFeatures(network, "mine")
    assert features.name == "mine"
    assert features(noise(2, 4)).dtype == np.float32
    assert ModelFeatures(network, "other").checksum == features.checksum
    network.set_weights([weight + 1 for weight in network.get_weights()])
    assert ModelFeatures(network, "mine").checksum != features.checksum


def test_features_that_are_not_finite_are_refused_and_counted():
    network = keras.Sequential([keras.Input([2]), keras.layers.Lambda(tf.math.log)])
    with pytest.raises(ValueError, match="'mine' of 2 of 3 images are not finite"):
        ModelFeatures(network, "mine")(np.float32([[1, 0], [1, 2], [0, 0]]))


def test_a_progress_bar_is_shown_if_asked_for(capsys):
    PixelFeatures()(noise(7, 2), batch_size=2)
    assert capsys.readouterr().out == ""
    PixelFeatures()(noise(7, 2), batch_size=2, progress=True)
    assert "4/4" in capsys.readouterr().out


def test_checksums_see_values_shapes_and_types():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    others = [array.T, array.reshape(3, 2), array.view(np.int32), array + 1e-6 * (array == 3)]
    checksums = {checksum_of([other]) for other in [array, *others]}
    assert len(checksums) == 5
    assert checksum_of([np.asfortranarray(array)]) == checksum_of([array])
    assert re.fullmatch("[0-9a-f]{32}", checksum_of([array]))


def test_scores_are_named_after_their_features():
    assert PixelFeatures().title("frechet_distance") == "pixels_frechet_distance"
    assert InceptionFeatures.titles["frechet_distance"] == "fid"
    assert "fid" not in ClassifierFeatures.titles.values()


# --- The Inception network


def by_creation(name):
    """The order that the original graph was built in."""
    return [
        (stem, int(number or 0))
        for stem, number in re.findall(r"(conv|mixed|tower)(?:_(\d+))?(?=/|$)", name)
    ]


def graph_arrays(network):
    """Random arrays by the graph's names, which keep the size of what runs through."""
    generator = np.random.default_rng(0)
    arrays = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            node, shape = layer.name.replace(".", "/"), layer.kernel.shape
            kernel = generator.standard_normal(shape, np.float32) * (2 / np.prod(shape[:3])) ** 0.5
            arrays[f"{node}/conv2d_params"] = kernel
            arrays[f"{node}/batchnorm/beta"] = generator.normal(0, 0.3, shape[3])
            arrays[f"{node}/batchnorm/moving_mean"] = generator.normal(0, 0.3, shape[3])
            arrays[f"{node}/batchnorm/moving_variance"] = generator.uniform(0.005, 2, shape[3])
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def network():
    """The network, built where the rest of the program computes in half precision."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    return inception_network()


@pytest.fixture(scope="module")
def arrays(network):
    arrays = graph_arrays(network)
    load_weights(network, arrays)
    return arrays


@pytest.fixture
def make_features(monkeypatch, network, arrays):
    """Makes `InceptionFeatures` of random weights, without building the network again."""

    def make(**more):
        monkeypatch.setattr(inception, "inception_network", lambda: network)
        monkeypatch.setattr(inception, "load_weights", lambda network, arrays: None)
        monkeypatch.setattr(inception, "read_weights", lambda path, names: {**arrays, **more})
        return InceptionFeatures()

    return make


def test_inception_has_the_graphs_arrays(network, arrays):
    assert sorted(array_names(network)) == sorted(arrays)
    assert len(arrays) == 94 * 4
    assert sum(array.size for array in arrays.values()) == 21_802_784
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes["conv_4/conv2d_params"] == (3, 3, 80, 192)
    assert shapes["mixed/tower/conv_1/conv2d_params"] == (5, 5, 48, 64)
    assert shapes["mixed_3/tower/conv_2/conv2d_params"] == (3, 3, 96, 96)
    assert shapes["mixed_5/tower_1/conv_3/conv2d_params"] == (7, 1, 160, 160)
    assert shapes["mixed_8/tower_1/conv_3/conv2d_params"] == (3, 3, 192, 192)
    assert shapes["mixed_10/tower_1/mixed/conv/conv2d_params"] == (1, 3, 384, 384)


def test_inception_is_keras_network_but_for_the_last_pooling(network, arrays):
    """Keras' InceptionV3 is the network of 2016, which averages in the last block too."""
    reference = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(299, 299, 3)
    )
    creation = sorted({name.split("/batchnorm")[0] for name in arrays}, key=by_creation)
    nodes = [name.removesuffix("/conv2d_params") for name in creation if "conv2d_params" in name]
    for kind, parts in (
        (keras.layers.Conv2D, ["conv2d_params"]),
        (
            keras.layers.BatchNormalization,
            [f"batchnorm/{part}" for part in ("beta", "moving_mean", "moving_variance")],
        ),
    ):
        of_kind = [layer for layer in reference.layers if isinstance(layer, kind)]
        of_kind.sort(key=lambda layer: int(re.search(r"\d*$", layer.name)[0] or 0))
        for layer, node in zip(of_kind, nodes, strict=True):
            layer.set_weights([arrays[f"{node}/{part}"] for part in parts])
    images = 2 * noise(1, 299, 299, 3) - 1
    features, expected = network(images).numpy(), reference(images).numpy()
    assert features.shape == (1, 2048)
    scale = np.abs(expected).max()
    assert scale > 0.1
    np.testing.assert_allclose(features[:, :-192], expected[:, :-192], atol=1e-4 * scale)
    assert not np.allclose(features[:, -192:], expected[:, -192:], atol=1e-2 * scale)


def producer(network, tensor):
    return next(layer for layer in network.layers if layer.output is tensor)


def test_only_the_last_block_pools_by_maximum(network):
    pools = {
        layer.name: producer(network, layer.input)
        for layer in network.layers
        if layer.name.endswith("tower_2.conv")
    }
    last = pools.pop("mixed_10.tower_2.conv")
    assert isinstance(last, keras.layers.MaxPooling2D) and last.strides == (1, 1)
    assert len(pools) == 8
    for pool in pools.values():
        assert isinstance(pool, keras.layers.AveragePooling2D) and pool.strides == (1, 1)
        # Padding is not counted: ones stay ones at the border.
        np.testing.assert_allclose(pool(tf.ones([1, 4, 5, 2])), np.ones([1, 4, 5, 2]))


@pytest.mark.parametrize("shape", [(2, 2), (28, 28), (40, 53), (350, 299)])
def test_images_are_resized_as_by_tensorflow_1(shape):
    """Output pixel `i` lies at `i * size / 299` of the input, between its whole neighbours."""
    pixels = np.random.default_rng(0).integers(0, 256, [2, *shape, 3]).astype(np.float64)
    for axis, size in ((1, shape[0]), (2, shape[1])):
        position = np.arange(299) * size / 299
        low = np.floor(position).astype(int)
        share = (position - low).reshape([-1 if axis == side else 1 for side in range(4)])
        high = np.minimum(low + 1, size - 1)
        resized = (1 - share) * np.take(pixels, low, axis) + share * np.take(pixels, high, axis)
        pixels = resized
    images = np.random.default_rng(0).integers(0, 256, [2, *shape, 3]) / 255
    prepared = prepare(images.astype(np.float32))
    np.testing.assert_allclose(prepared, (pixels - 128) / 128, atol=1e-4)


def test_pixels_are_rounded_before_anything_else():
    images = np.float32([0, 0.4, 0.6, 99.6, 127.7, 254.4, 254.6, 255]).reshape(8, 1, 1, 1) / 255
    prepared = prepare(images)[:, 7, 7, 0]
    rounded = np.array([0, 0, 1, 100, 128, 254, 255, 255])
    np.testing.assert_allclose(prepared, (rounded - 128) / 128, atol=1e-6)


def test_grey_images_are_colour_images_of_three_equal_channels():
    grey = noise(2, 9, 9, 1)
    np.testing.assert_array_equal(prepare(grey), prepare(np.repeat(grey, 3, axis=-1)))
    assert prepare(grey).shape == (2, 299, 299, 3)


@pytest.mark.parametrize("shape", [(2, 8, 8, 2), (2, 8, 8, 4), (2, 64)])
def test_inception_refuses_what_is_no_grey_or_colour_image(shape):
    with pytest.raises(ValueError, match=re.escape("of 1 or 3 channels. Received: a batch of sh")):
        prepare(np.zeros(shape, np.float32))


@pytest.mark.slow
def test_inception_features_are_those_of_the_prepared_images_also_on_a_replica(
    make_features, network
):
    images = noise(1, 20, 20, 1)
    features = make_features()
    found = features(images)
    assert found.shape == (1, 2048) and found.dtype == np.float32
    np.testing.assert_allclose(found, network(prepare(images)), rtol=1e-4, atol=1e-5)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    on_replica = strategy.run(features.extract, [images])
    np.testing.assert_allclose(on_replica, found, rtol=1e-4, atol=1e-5)


def test_inception_classifies_without_the_last_layers_biases(make_features, network):
    generator = np.random.default_rng(1)
    images = noise(1, 8, 8, 3)
    features = np.float64(network(prepare(images)))
    weights = generator.normal(size=[2048, 1008]) / np.linalg.norm(features)  # logits around 1
    biases = {"softmax/biases": generator.normal(size=1008)}
    expected = np.exp(features @ weights)
    probabilities = make_features(
        **{CLASS_WEIGHTS: weights.astype(np.float32)}, **biases
    ).probabilities(images)
    assert probabilities.shape == (1, 1008) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected / expected.sum(), rtol=1e-3)


def test_inception_without_the_last_layer_has_no_probabilities(make_features):
    with pytest.raises(ValueError, match="end at `pool_3`.*pass the official archive"):
        make_features().probabilities(noise(1, 8, 8, 3))


@pytest.mark.skipif("TFGEN_INCEPTION" not in os.environ, reason="TFGEN_INCEPTION names no weights")
def test_inception_agrees_with_pytorch_fid_on_the_real_weights():
    """The figures are pytorch-fid 0.3.0's, in float64, with TensorFlow 1's resize before it."""
    rows, columns = np.arange(32)[:, np.newaxis], np.arange(40)[np.newaxis]
    channels = [(7 * rows + 3 * columns) % 256, rows * columns % 256, 5 * columns + 0 * rows]
    image = np.stack(channels, axis=-1)[np.newaxis].astype(np.uint8)
    (features,) = InceptionFeatures(os.environ["TFGEN_INCEPTION"])(image)
    np.testing.assert_allclose(
        features[[0, 500, 1000, 1500, 1900, 2047]],
        [1.58395494, 0.12082915, 0.58473733, 0.27196791, 0.6391571, 0.4840322],
        rtol=2e-4,
    )
    np.testing.assert_allclose(np.linalg.norm(features), 22.055653008, rtol=1e-5)
    np.testing.assert_allclose(features[-192:].mean(), 0.35930566, rtol=1e-5)


# --- The files of its weights

NAMES = ["conv/conv2d_params", "conv/batchnorm/beta"]


@pytest.fixture
def small(monkeypatch):
    """A few arrays that pass for the network's."""
    arrays = {name: noise(3, 4, seed=len(name)) for name in [*NAMES, CLASS_WEIGHTS]}
    checksum = checksum_of(arrays[name] for name in sorted(NAMES))
    monkeypatch.setattr(inception_weights, "CHECKSUM", checksum)
    return arrays


def graph_of(arrays):
    graph = tf.compat.v1.GraphDef()
    graph.node.add(name="images", op="Placeholder")
    for name, array in {**arrays, "Mul/y": np.float32(1 / 128)}.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    return graph.SerializeToString()


def write(path, arrays):
    """Writes arrays as the kind of file that the ending says."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".pb":
        path.write_bytes(graph_of(arrays))
    else:
        serialized = graph_of(arrays)
        with tarfile.open(path, "w:gz") as archive:
            for name in ("LICENSE", "./classify_image_graph_def.pb"):
                member = tarfile.TarInfo(name)
                member.size = len(serialized)
                archive.addfile(member, io.BytesIO(serialized))
    return path


every_kind = pytest.mark.parametrize("ending", [".npz", ".pb", ".tgz"])


@every_kind
def test_weights_are_the_same_from_every_kind_of_file(tmp_path, small, ending):
    path = write(tmp_path / f"weights{ending}", {**small, "softmax/biases": noise(4)})
    found = read_weights(str(path), NAMES)
    assert list(found) == [*NAMES, CLASS_WEIGHTS]
    for name, array in found.items():
        np.testing.assert_array_equal(array, small[name])


def test_weights_may_end_before_the_classes(tmp_path, small):
    del small[CLASS_WEIGHTS]
    path = write(tmp_path / "weights.npz", small)
    assert list(read_weights(path, NAMES)) == NAMES


@every_kind
def test_other_weights_are_refused_with_both_checksums(tmp_path, small, ending):
    expected = inception_weights.CHECKSUM
    small[NAMES[1]][1, 2] += 1e-6
    found = checksum_of(small[name] for name in sorted(NAMES))
    path = write(tmp_path / f"weights{ending}", small)
    with pytest.raises(ValueError, match=f"{path}.*{expected}.*Received: {found}.*get it anew"):
        read_weights(path, NAMES)


def test_a_file_that_lacks_an_array_is_refused(tmp_path, small):
    del small[NAMES[0]]
    with pytest.raises(ValueError, match="does not hold the Inception network"):
        read_weights(write(tmp_path / "weights.npz", small), NAMES)


@every_kind
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_refused(tmp_path, small, ending, share):
    path = write(tmp_path / f"weights{ending}", small)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=f"{path} does not hold .* or is damaged.*Expected"):
        read_weights(path, NAMES)


@every_kind
def test_a_file_that_is_larger_than_the_network_is_refused(tmp_path, small, ending, monkeypatch):
    path = write(tmp_path / f"weights{ending}", {**small, "zeros": np.zeros(10**5, np.float32)})
    monkeypatch.setattr(inception_weights, "_MOST_BYTES", 10**5)
    with pytest.raises(ValueError, match="it has more than 100,000 bytes"):
        read_weights(path, NAMES)


def test_a_sparse_member_of_an_archive_is_refused(tmp_path, small):
    member = tarfile.TarInfo("classify_image_graph_def.pb")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    member.pax_headers["GNU.sparse.realsize"] = str(10**12)
    content = b"0\n".ljust(512, b"\0")
    member.size = len(content)
    with tarfile.open(tmp_path / "weights.tgz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(ValueError, match="it has more than 268,435,456 bytes"):
        read_weights(tmp_path / "weights.tgz", NAMES)


def test_the_network_is_fetched_encrypted(tmp_path, monkeypatch):
    assert inception_weights.URL.startswith("https://")
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(inception_weights, "URL", "http://models.invalid/inception.tgz")
    with pytest.raises(ConnectionError, match="is not encrypted"):
        read_weights(None, NAMES)


def test_an_archive_without_the_graph_is_refused(tmp_path, small):
    with tarfile.open(tmp_path / "weights.tgz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("LICENSE"))
    with pytest.raises(ValueError, match="there is no classify_image_graph_def.pb in it"):
        read_weights(tmp_path / "weights.tgz", NAMES)


def test_a_path_without_a_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file .*nothing.npz.*Get https://.*Classifier"):
        read_weights(tmp_path / "nothing.npz", NAMES)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a file .tgz, .pb, .npz. Received: .*weights.h5"):
        read_weights(tmp_path / "weights.h5", NAMES)


def test_the_archive_is_downloaded_once(tmp_path, monkeypatch, small):
    calls = []

    def fetch(address, path, most_bytes):
        calls.append(address)
        shutil.move(write(tmp_path / "official.tgz", small), path)

    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inception_weights, "fetch", fetch)
    for _ in range(2):
        assert list(read_weights(None, NAMES)) == [*NAMES, CLASS_WEIGHTS]
    assert calls == [inception_weights.URL]
    assert (tmp_path / "cache" / "inception-2015-12-05.tgz").exists()


def test_no_network_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(inception_weights, "URL", "http://localhost:9/inception.tgz")
    with pytest.raises(ConnectionError, match="refused.*weights=PATH.*ClassifierFeatures` needs"):
        read_weights(None, NAMES)
    assert not list(tmp_path.glob("*.tgz")) and not list(tmp_path.glob(".unfinished*"))


# --- The classifier


def bars(count, seed=0, labels=(3, 7)):
    """Images 8x9 that are brighter above (the first label) or below, under noise."""
    generator = np.random.default_rng(seed)
    chosen = generator.integers(0, 2, count)
    images = generator.uniform(0, 0.5, [count, 8, 9, 3]).astype(np.float32)
    images[chosen == 0, :4] += 0.5
    images[chosen == 1, 4:] += 0.5
    return Source(images, np.array(labels)[chosen])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(cache))


@pytest.fixture
def trained(own_cache):
    return ClassifierFeatures(bars(128), bars(40, seed=1))


def test_the_classifier_learns_the_classes(trained):
    test = bars(40, seed=1)
    assert trained.name == "classifier" and trained.accuracy == 1.0
    np.testing.assert_array_equal(trained.classes, [3, 7])
    features = trained(test)
    assert features.shape == (40, 128) and features.dtype == np.float32
    assert features.min() == 0.0 and features.std() > 0
    probabilities = trained.probabilities(test, batch_size=7)
    assert probabilities.shape == (40, 2) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(trained.classes[probabilities.argmax(axis=1)], test.labels)


def test_a_classifier_is_kept_and_found_again(trained, monkeypatch):
    monkeypatch.setattr(classifier, "_fit", None)
    again = ClassifierFeatures(bars(128), bars(40, seed=1))
    assert (again.checksum, again.accuracy) == (trained.checksum, trained.accuracy)
    images = noise(5, 8, 9, 3)
    np.testing.assert_array_equal(again(images), trained(images))
    np.testing.assert_array_equal(again.probabilities(images), trained.probabilities(images))


def test_labels_in_a_column_are_labels_as_any(trained, monkeypatch):
    monkeypatch.setattr(classifier, "_fit", None)  # the same data, the same classifier
    columns = [
        Source(each.images, each.labels[:, np.newaxis]) for each in (bars(128), bars(40, seed=1))
    ]
    assert ClassifierFeatures(*columns).checksum == trained.checksum


def test_a_classifier_of_other_data_is_another(trained, monkeypatch):
    monkeypatch.setattr(classifier, "_fit", None)
    images, labels = bars(128), bars(128).labels.copy()
    labels[0] = 10 - labels[0]
    pixels = images.images.copy()
    pixels[0, 0, 0, 0] += 0.25
    for train, test in (
        (Source(images.images, labels), bars(40, seed=1)),
        (Source(pixels, images.labels), bars(40, seed=1)),
        (images, bars(40, seed=2)),
    ):
        with pytest.raises(TypeError, match="not callable"):
            ClassifierFeatures(train, test)


@pytest.mark.slow
def test_accuracy_is_that_of_the_test_images(trained):
    test = bars(40, seed=1)
    labels = test.labels.copy()
    labels[:10] = 10 - labels[:10]
    assert ClassifierFeatures(bars(128), Source(test.images, labels)).accuracy == 0.75


def set_all_seeds():
    keras.utils.clear_session()  # with Keras 3.12, its generator goes on where it was
    keras.utils.set_random_seed(5)


def draws():
    """Draws from every global generator."""
    draw = (random.random(), np.random.random(), keras.random.uniform([]), tf.random.uniform([]))
    return [float(number) for number in draw]


@pytest.mark.slow
def test_training_again_gives_the_same_weights_and_leaves_all_seeds_alone(
    trained, tmp_path, monkeypatch
):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path))
    set_all_seeds()
    expected = draws()
    set_all_seeds()
    keras.config.set_dtype_policy("mixed_bfloat16")
    again = ClassifierFeatures(bars(128), bars(40, seed=1))
    keras.config.set_dtype_policy("float32")
    assert again.checksum == trained.checksum
    assert again(noise(2, 8, 9, 3)).dtype == np.float32
    assert draws() == expected


@pytest.mark.parametrize(
    "shape",
    [
        (8, 8, 1),
        *(pytest.param(each, marks=pytest.mark.slow) for each in [(64, 48, 1), (13, 64, 3)]),
    ],
)
def test_a_classifier_takes_any_size_and_fewer_images_than_a_batch(shape):
    train = Source(noise(5, *shape), [0, 1, 2, 0, 1])
    features = ClassifierFeatures(train, train)
    assert features(noise(2, *shape)).shape == (2, 128)
    assert features.probabilities(noise(2, *shape)).shape == (2, 3)


def test_a_classifier_works_on_a_replica(trained):
    images = noise(5, 8, 9, 3)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    on_replica = tf.function(lambda images: strategy.run(trained.extract, [images]))(images)
    np.testing.assert_allclose(on_replica, trained(images), rtol=1e-5, atol=1e-6)


def test_a_classifier_refuses_images_of_another_shape(trained):
    with pytest.raises(ValueError, match=r"trained on images of \(8, 9, 3\).*\(9, 8, 3\). Resize"):
        trained(noise(2, 9, 8, 3))


VECTORS = Source(noise(4, 64), [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (VECTORS, VECTORS, r"`train` with examples of shape \(64,\)"),
        (Source(noise(4, 7, 9, 1), [0, 1, 0, 1]), bars(4), r"8x8 and larger.*`train`.*\(7, 9, 1\)"),
        (Source(bars(4).images), bars(4), "labels; `train` has none"),
        (bars(4), Source(bars(4).images), "labels; `test` has none"),
        (Source(bars(4).images, np.eye(4)), bars(4), r"Labels must be.*`train`.*\(4, 4\).*float64"),
        (bars(4), Source(bars(4).images, np.eye(4, dtype=int)), r"integers, one for.*`test`"),
        (bars(4, labels=(3, 3)), bars(4), r"two classes. Received: only \[3\]"),
        (bars(9), bars(9, labels=(3, 8)), r"lacks: \[8\]. Received: \[3, 7\]"),
        (bars(4), Source(noise(4, 8, 9, 1), [3, 7, 3, 7]), r"\(8, 9, 3\) and \(8, 9, 1\)"),
    ],
)
def test_a_classifier_refuses_data_that_teach_it_nothing(train, test, message):
    with pytest.raises(ValueError, match=message):
        ClassifierFeatures(train, test)
