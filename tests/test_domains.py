"""Gaussians around known centres, and two domains whose batches are no pairs."""

import warnings

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from tfgen import data
from tfgen.data import (
    Domains,
    Source,
    batches,
    domains,
    gaussian_grid,
    gaussian_ring,
    steps_per_epoch,
)
from tfgen.evaluation import mixture_coverage

# --- Gaussians


def test_the_ring_is_that_of_the_paper():
    half = 0.5**0.5
    expected = [(1, 0), (half, half), (0, 1), (-half, half)]
    np.testing.assert_allclose(gaussian_ring().centres[:4], expected, atol=1e-12)
    np.testing.assert_allclose(gaussian_ring().centres[4:], np.negative(expected), atol=1e-12)
    assert gaussian_ring().deviation == 0.01
    np.testing.assert_allclose(gaussian_ring(2, radius=3.0).centres, [(3, 0), (-3, 0)], atol=1e-12)


def test_the_grid_is_that_of_the_paper():
    assert set(gaussian_grid().centres) == {
        (x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)
    }
    assert len(gaussian_grid().centres) == 25 and gaussian_grid().deviation == 0.05
    assert gaussian_grid(2, step=1.0).centres == (
        (-0.5, -0.5),
        (0.5, -0.5),
        (-0.5, 0.5),
        (0.5, 0.5),
    )


@pytest.mark.parametrize("gaussians", [gaussian_ring(), gaussian_grid()], ids=["ring", "grid"])
def test_points_are_normal_around_centres_that_are_equally_likely(gaussians):
    points = gaussians.sample(20_000, seed=3)
    assert points.shape == (2,) and points.images.dtype == np.float32
    counts = np.bincount(points.labels, minlength=len(gaussians.centres))
    assert scipy.stats.chisquare(counts).pvalue > 0.01
    offsets = (points.images - np.array(gaussians.centres)[points.labels]) / gaussians.deviation
    assert scipy.stats.kstest(offsets.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.03
    modes, high_quality = mixture_coverage(points.images, gaussians.centres, gaussians.deviation)
    assert modes == len(gaussians.centres)
    assert high_quality == pytest.approx(1 - np.exp(-9 / 2), abs=0.003)  # a Rayleigh's share


def test_points_are_a_function_of_the_seed():
    first, again, other = (gaussian_grid().sample(50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, other.images)


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_ring_and_grid_are_data_by_name(name, modes):
    train, test = (data.source(name, split) for split in data.SPLITS)
    assert (len(train), len(test)) == (100_000, 10_000)
    assert len(np.unique(train.labels)) == len(np.unique(test.labels)) == modes
    assert not set(map(tuple, train.images[:1000])) & set(map(tuple, test.images[:1000]))
    gaussians = getattr(data, f"gaussian_{name}")()
    distances = np.linalg.norm(test.images - np.array(gaussians.centres)[test.labels], axis=1)
    assert distances.max() < 6 * gaussians.deviation


def test_old_names_of_gaussians_and_batches_work_and_tell_the_new_ones():
    for old, new in (
        ("grid", "gaussian_grid"),
        ("ring", "gaussian_ring"),
        ("load", "load_batches"),
    ):
        with pytest.warns(FutureWarning, match=f"`{old}` is now called `{new}`"):
            assert getattr(data, old) is getattr(data, new)
    with pytest.warns(FutureWarning, match="`draw` is now called `sample`"):
        old = gaussian_ring().draw(10, seed=3)
    np.testing.assert_array_equal(old.images, gaussian_ring().sample(10, seed=3).images)


def test_gaussians_without_centres_or_width_are_refused():
    with pytest.raises(ValueError, match="at least one centre. Received: none"):
        gaussian_ring(modes=0)
    with pytest.raises(ValueError, match="`deviation` must be positive. Received: deviation=0"):
        gaussian_grid(deviation=0)


# --- Two domains


def numbered(count, first=0, features=1):
    """A source whose examples say their own index, from `first` on, and so do their labels."""
    numbers = np.arange(first, first + count)
    return Source(np.repeat(numbers[:, np.newaxis].astype(float), features, axis=1), numbers)


def pair(a, b):
    return Domains(numbered(a), numbered(b, first=100, features=2))


def orders(dataset):
    """Returns the indices that both sides of `pair`'s batches hold, batch by batch."""
    sides = [(a[:, 0].tolist(), b[:, 0].tolist()) for a, b in dataset.as_numpy_iterator()]
    return tuple(np.concatenate(side).astype(int).tolist() for side in zip(*sides, strict=True))


@pytest.fixture
def repeats():
    """Expects the warning of domains that are not equally long."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The domains have")
        yield


def test_domains_are_pairs_of_what_a_source_is_one_of():
    two = pair(5, 7)
    assert len(two) == 7 == len(pair(7, 5)) and two.shape == ((1,), (2,))
    first, second = two.floats(2)
    np.testing.assert_array_equal(first, [[0], [1]])
    np.testing.assert_array_equal(second, [[100, 100], [101, 101]])
    assert [len(side) for side in two.floats()] == [5, 7]
    ((images_a, images_b),) = batches(pair(4, 4), 4)
    assert images_a.shape == (4, 1) and images_b.shape == (4, 2)


def test_both_domains_are_seen_whole_each_in_an_order_of_its_own():
    dataset = batches(pair(12, 12), 4)
    assert len(dataset) == 3 == steps_per_epoch(pair(12, 12), 4)
    passes = [orders(dataset) for _ in range(3)]
    for a, b in passes:
        assert sorted(a) == list(range(12)) and sorted(b) == list(range(100, 112))
    # With one order for both, even of another epoch, there would be pairs that stay together.
    found = {tuple(number % 100 for number in side) for sides in passes for side in sides}
    assert len(found) == 6


def test_a_stream_is_each_domains_own_of_its_own_epochs(repeats):
    a, b = orders(batches(pair(12, 5), 2, repeat=True, seed=3).take(30))
    assert len(a) == len(b) == 60
    for side, epoch, whole in ((a, 12, range(12)), (b, 4, range(100, 105))):
        epochs = [side[start : start + epoch] for start in range(0, 60, epoch)]
        assert all(len(set(each)) == epoch and set(each) <= set(whole) for each in epochs)
        assert len(set(map(tuple, epochs))) > 1 and epochs[0] != epochs[1]
    assert set(b) == set(range(100, 105))  # whom an epoch leaves out has its turn in another


@pytest.mark.parametrize("lengths", [(12, 5), (5, 12)])
def test_passes_go_on_in_the_shorter_domain(repeats, lengths):
    dataset = batches(pair(*lengths), 3)
    assert len(dataset) == 4
    passes = [orders(dataset) for _ in range(3)]
    assert all(len(a) == len(b) == 12 for a, b in passes)
    shorter = lengths.index(5)
    assert passes[0][shorter] != passes[1][shorter] != passes[2][shorter]
    assert passes == [orders(batches(pair(*lengths), 3).take(4)), *passes[1:]]


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_stream_goes_on_from_its_first_step(repeats, shuffle):
    options = {"repeat": True, "seed": 5, "shuffle": shuffle}
    whole = orders(batches(pair(7, 5), 2, **options).take(40))
    skip = 2 * 21 if shuffle else 5 * 7 + 2  # of 21 batches, every fourth has but one example
    resumed = orders(batches(pair(7, 5), 2, first_step=21, **options).take(19))
    assert resumed == tuple(side[skip:] for side in whole)
    assert whole == orders(batches(pair(7, 5), 2, **options).take(40))
    if shuffle:
        assert whole != orders(batches(pair(7, 5), 2, **(options | {"seed": 6})).take(40))


def test_in_order_both_sides_are_equally_long_and_the_shorter_begins_again():
    dataset = batches(pair(7, 5), 3, shuffle=False)
    assert len(dataset) == 3 == steps_per_epoch(pair(7, 5), 3, shuffle=False)
    sides = [(a[:, 0].tolist(), b[:, 0].tolist()) for a, b in dataset.as_numpy_iterator()]
    assert sides == [
        ([0, 1, 2], [100, 101, 102]),
        ([3, 4, 5], [103, 104, 100]),
        ([6], [101]),
    ]
    ((a, b),) = batches(pair(2, 3), 3, shuffle=False)  # a batch may hold more than one domain
    assert a[:, 0].numpy().tolist() == [0, 1, 0] and len(b) == 3


def test_that_the_shorter_domain_repeats_is_said_once():
    message = "have 12 and 5 examples: while the longer is seen once, the shorter repeats"
    with pytest.warns(UserWarning, match=message) as warned:
        dataset = batches(pair(12, 5), 2, repeat=True)
        list(dataset.take(30))
    assert len(warned) == 1 and warned[0].filename == __file__
    with pytest.warns(UserWarning, match=message):
        batches(pair(12, 5), 2)
    # A warning would fail.
    batches(pair(5, 5), 2), batches(pair(12, 5), 2, shuffle=False, repeat=True)


def test_batches_larger_than_a_domain_are_refused():
    for two in (pair(12, 5), pair(5, 12)):
        for function in (batches, steps_per_epoch):
            with pytest.raises(ValueError, match="fit in the 5 examples .* batch_size=6"):
                function(two, 6)


def test_what_holds_for_a_source_holds_for_each_domain(repeats):
    grey = Source(np.full([6, 4, 4, 1], 128, np.uint8))
    for binarized in ("stochastic", "static"):
        a, b = next(iter(batches(Domains(grey, grey), 6, binarized=binarized)))
        assert set(np.unique(a)) == set(np.unique(b)) == {0.0, 1.0}
        assert not np.array_equal(np.sort(a.numpy(), axis=0), np.sort(b.numpy(), axis=0))
    a, b = next(iter(batches(pair(6, 4), 4, labels=True)))
    for images, labels in (a, b):
        np.testing.assert_array_equal(images[:, 0], labels)
    with pytest.raises(ValueError, match="no labels"):
        batches(Domains(numbered(4), Source(np.zeros([4, 1]))), 2, labels=True)
    with pytest.raises(ValueError, match=r"Only images can be binarized. Received: .*\(1,\)"):
        batches(Domains(grey, numbered(6)), 2, binarized="static")


# --- By name


def test_classes_of_labelled_data_are_domains():
    embedded = data.source("embedded", "test")
    boots = domains("classes:embedded:9,7", "test")
    for part, label in zip(boots.parts, (9, 7), strict=True):
        np.testing.assert_array_equal(part.images, embedded.images[embedded.labels == label])
        assert part.labels is None
    train = domains("classes:embedded:7,9", size=(8, 8), channels=3)
    assert len(train) == 1000 and train.shape == ((8, 8, 3), (8, 8, 3))


def test_classes_may_be_told_by_a_column_of_labels(tmp_path):
    images = np.tile(np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1), [1, 5, 5, 3])
    labels = np.arange(20, dtype=np.uint8).reshape(20, 1) % 4  # as Keras gives CIFAR's
    np.savez(tmp_path / "cifar.npz", x_train=images, y_train=labels)
    two = domains(f"classes:npz:{tmp_path / 'cifar.npz'}:1,3")
    assert values_of(two) == [[*range(1, 20, 4)], [*range(3, 20, 4)]]


def write(path, grey, count=1):
    path.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(np.full([4, 3], grey + index, np.uint8)).save(path / f"{index:02}.png")


def values_of(two):
    return [part.images[:, 0, 0, 0].tolist() for part in two.parts]


def test_a_folder_with_four_folders_is_two_domains(tmp_path):
    for grey, name in ((10, "trainA"), (50, "trainB"), (100, "testA"), (150, "testB")):
        write(tmp_path / name / "images", grey, count=12)
    name = f"folder:{tmp_path}"
    assert values_of(domains(name)) == [[*range(10, 22)], [*range(50, 62)]]
    assert values_of(domains(name, "test")) == [[*range(100, 112)], [*range(150, 162)]]
    resized = domains(name, size=(6, 6), channels=3)
    assert resized.shape == ((6, 6, 3),) * 2 and resized.a.labels is None


def test_two_folders_are_two_domains(tmp_path):
    write(tmp_path / "lemons", 10, count=10)
    write(tmp_path / "oranges" / "train", 50)
    write(tmp_path / "oranges" / "test", 60)
    name = f"folders:{tmp_path / 'lemons'},{tmp_path / 'oranges'}"
    assert values_of(domains(name)) == [[*range(10, 19)], [50]]
    assert values_of(domains(name, "test")) == [[19], [60]]


def test_held_out_domains_may_be_called_validation_and_default_to_one_in_ten(tmp_path):
    for grey, name in ((10, "trainA"), (50, "trainB")):
        write(tmp_path / name, grey, count=10)
    name = f"folder:{tmp_path}"
    assert values_of(domains(name, "test")) == [[19], [59]]
    assert values_of(domains(name)) == [[*range(10, 19)], [*range(50, 59)]]
    write(tmp_path / "valA", 100, count=2)
    with pytest.raises(FileNotFoundError, match="hold the folders valA and valB. Missing: valB"):
        domains(name, "test")
    write(tmp_path / "valB", 150, count=2)
    assert values_of(domains(name, "test")) == [[100, 101], [150, 151]]
    assert values_of(domains(name)) == [[*range(10, 20)], [*range(50, 60)]]


@pytest.mark.parametrize("coloured", ["trainA", "testB", None])
def test_domains_of_folders_have_one_number_of_channels(tmp_path, coloured):
    for name in ("trainA", "trainB", "testA", "testB"):
        write(tmp_path / name, 10)
    if coloured:
        Image.new("RGB", (3, 4), (10, 20, 30)).save(tmp_path / coloured / "00.png")
    shape = (4, 3, 3 if coloured else 1)
    for split in data.SPLITS:
        assert domains(f"folder:{tmp_path}", split).shape == (shape, shape)
    folders = domains(f"folders:{tmp_path}/trainA,{tmp_path}/testB")
    assert folders.shape == (shape, shape)
    if coloured == "trainA":
        assert folders.a.images[0, 0, 0].tolist() == [10, 20, 30]
        assert folders.b.images[0, 0, 0].tolist() == [10, 10, 10]
    assert domains(f"folder:{tmp_path}", channels=1).shape == ((4, 3, 1),) * 2


def test_broken_images_are_left_out_if_asked(tmp_path):
    for folder in ("a", "b"):
        write(tmp_path / folder, 10, count=3)
    (tmp_path / "b" / "00.png").write_bytes(b"This is no image.")
    name = f"folders:{tmp_path / 'a'},{tmp_path / 'b'}"
    with pytest.raises(ValueError, match="1 of 3 files are broken"):
        domains(name)
    assert values_of(domains(name, skip_unreadable=True)) == [[10, 11, 12], [11, 12]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("clases:embedded:7,9", "no domains called 'clases:.*'. Did you mean 'classes'"),
        ("embedded", "no domains called 'embedded'. There are: classes, folder, folders."),
        ("/a/folder", r"no domains called '/a/folder'. Did you mean 'folder:/a/folder'\?"),
        ("classes:embedded:7", "of the form 'classes:NAME:A,B'.* Received: 'classes:embedded:7'"),
        ("classes:embedded", "of the form 'classes:NAME:A,B'.* Received: 'classes:embedded'"),
        ("classes:demo:1,1", "two different sides. Received: 'classes:demo:1,1'"),
        ("classes:demo:1,2,3", "one comma"),
        ("classes:demo:1,", "one comma"),
        ("classes:demo:3,4", "'demo' have no class '4'. Their classes are 0, 1, 2, 3."),
        ("classes:dmo:0,1", "no data called 'dmo'. Did you mean 'demo'"),
        ("folders:a", "of the form 'folders:PATH_A,PATH_B'.* Received: 'folders:a'"),
    ],
)
def test_wrong_names_are_answered_with_right_ones(name, message):
    with pytest.raises(ValueError, match=message):
        domains(name)


def test_data_without_what_is_asked_for_are_refused(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros([20, 3]))
    with pytest.raises(ValueError, match=r"data.npz' have no labels to choose classes by"):
        domains(f"classes:npz:{tmp_path / 'data.npz'}:0,1")
    with pytest.raises(ValueError, match=r"one of \('train', 'test'\). Received: split='all'"):
        domains("classes:demo:0,1", "all")
    write(tmp_path / "trainA", 1)
    with pytest.raises(FileNotFoundError, match="hold .* trainA and trainB. Missing: trainB. Two"):
        domains(f"folder:{tmp_path}")
    with pytest.raises(FileNotFoundError, match="no folder nowhere"):
        domains("folders:nowhere,else")
