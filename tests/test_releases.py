"""Release files: packed, checked, unpacked, loaded; whatever is wrong with one is refused."""

import hashlib
import json
import lzma
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

import tfgen
from tests.releases import (
    SETTINGS,
    change_manifest,
    read_contents,
    rewrite,
    write_release,
    write_run,
)
from tests.specimens import compiled, each_of
from tfgen import __main__ as command
from tfgen.serving import manifest, release
from tfgen.serving.manifest import MANIFEST
from tfgen.serving.pack import pack
from tfgen.serving.release import open_release
from tfgen.serving.verify import verify
from training.tools import release as release_command


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "releases"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("packed") / "tiny.tfgen")


@pytest.fixture
def file(packed, tmp_path):
    """A release file that a test may spoil."""
    return shutil.copy(packed[0], tmp_path / "tiny.tfgen")


def unpacked(cache):
    """The folders that the cache has, those of others' locks left out."""
    return [path for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


# One for each way in which a model's file holds what it is made of.
OF_EACH_FILE = "dropout_vae exemplar_vae vq_vae cvae gan infogan cyclegan pair_game".split()


def assert_equal(left, right):
    for value, other in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(value, other)


# --- What a release is


@each_of(OF_EACH_FILE, {"gan"})
def test_a_release_s_model_and_export_are_those_that_were_packed(name, tmp_path):
    path, model = write_release(tmp_path / f"{name}.tfgen", name)
    assert_equal(tfgen.load(path), model)
    answers, compared = verify(path)
    assert compared == open_release(path).model
    assert {each.signature for each in answers} == model.signatures().keys()


def test_a_release_holds_no_optimizer(packed, file):
    assert not tfgen.load(file).compiled
    with zipfile.ZipFile(open_release(file).model) as archive:
        weights = archive.read("model.weights.h5")
    assert len(weights) < 2 * 4 * sum(np.size(each) for each in packed[1].variables) + 2**17
    assert b"optimizer" not in weights


def test_a_release_says_what_it_holds(file):
    found = open_release(file)
    assert found.name == "tiny" and found.manifest["format"] == 1
    assert found.manifest["tfgen"] == tfgen.__version__
    assert found.manifest["training"]["recipe"] == "vae_demo"
    assert found.card.read_text() == (found.version / "README.md").read_text()
    assert 'tfgen.load("tiny.tfgen")' in found.card.read_text()
    with zipfile.ZipFile(found.model) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        saved = json.loads(archive.read("metadata.json"))
        assert saved["date_saved"] == "1980-01-01@00:00:00" and saved["keras_version"]
    with tarfile.open(file, "r:xz") as archive:  # any tool can unpack it
        first, *names = archive.getnames()
        assert first == MANIFEST and {"README.md", "model.keras"} < set(names)
        assert names == sorted(names) == sorted(found.manifest["files"])
        assert {each.mtime for each in archive} == {0}
        for name, digest in found.manifest["files"].items():
            assert hashlib.sha256(archive.extractfile(name).read()).hexdigest() == digest


@pytest.mark.slow
def test_weights_are_rounded_to_half_precision_where_asked_for(tmp_path):
    path, model = write_release(tmp_path / "half.tfgen", half=True)
    whole, _ = write_release(tmp_path / "whole.tfgen")
    half = tfgen.load(path)
    assert {each.dtype for each in half.variables} == {each.dtype for each in model.variables}
    for value, rounded in zip(model.get_weights(), half.get_weights(), strict=True):
        if value.dtype == np.float32:
            value = np.float32(np.float16(value))
        np.testing.assert_array_equal(rounded, value)
    found = open_release(path)
    assert found.manifest["training"]["half_precision"]
    assert "half precision" in found.card.read_text()
    assert "half precision" not in open_release(whole).card.read_text()
    assert verify(path)[1] == found.model
    assert path.stat().st_size < whole.stat().st_size


def test_weights_that_are_there_twice_are_packed_once(file):
    contents = read_contents(pathlib.Path(file))
    weights = contents["export/variables/variables.data-00000-of-00001"]
    assert weights[1000:2000] in contents["model.keras"]
    alone = len(lzma.compress(weights)) + sum(
        len(lzma.compress(contents[name])) for name in ("export/saved_model.pb", "README.md")
    )
    assert pathlib.Path(file).stat().st_size < alone + len(weights) // 2


def test_a_weight_beyond_half_precision_is_refused(tmp_path):
    model = compiled("wae")
    kernel = model.encoder.weights[0]
    kernel.assign(np.full(kernel.shape, 1e6))
    model.save(tmp_path / "large.keras")
    with pytest.raises(ValueError, match="kernel have values beyond half precision"):
        pack(tmp_path / "large.keras", tmp_path / "large.tfgen", {}, half=True)
    assert not (tmp_path / "large.tfgen").exists()


def test_a_name_that_is_none_is_refused(tmp_path, packed):
    for name, message in {
        "a b.tfgen": "must begin with a letter",
        "a.zip": "must end in .tfgen",
    }.items():
        with pytest.raises(ValueError, match=message):
            pack(packed[0].with_suffix(".keras"), tmp_path / name, {})


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(tmp_path):
    run = write_run(tmp_path / "run", "conv_vae")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "training.release", str(run), f"--output={tmp_path / each}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in "ab"
    ]
    printed = [process.communicate() for process in processes]
    assert [errors for _, errors in printed] == ["", ""]
    left, right = ((tmp_path / each / "run.tfgen").read_bytes() for each in "ab")
    assert left == right
    digest = hashlib.sha256(left).hexdigest()
    assert f"sha256  {digest}" in printed[0][0] and f"run.tfgen#sha256={digest}" in printed[0][0]


# --- What is refused


def _keep(size):
    return lambda path: path.write_bytes(path.read_bytes()[:size])


def _members(change):
    return lambda path: rewrite(path, change)


def _says(**changes):
    return _members(lambda contents: change_manifest(contents, **changes))


def _has(name):
    """Adds a member, which the manifest lists."""

    def change(contents):
        files = json.loads(contents[MANIFEST])["files"]
        contents[name] = b"harm"
        change_manifest(contents, files={**files, name: hashlib.sha256(b"harm").hexdigest()})

    return _members(change)


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _repack(change):
    """Changes tar's archive, a `bytearray`, and packs it again."""

    def spoil(path):
        content = bytearray(lzma.decompress(path.read_bytes()))
        change(content)
        path.write_bytes(lzma.compress(content))

    return spoil


def _link(content):
    """Makes the first member a symbolic link."""
    header = tarfile.TarInfo(MANIFEST)
    header.type, header.linkname = tarfile.SYMTYPE, "/etc/passwd"
    content[: tarfile.BLOCKSIZE] = header.tobuf(tarfile.USTAR_FORMAT)


def _negative(content):
    """Gives the first member a size below 0, as tar's binary numbers can."""
    header = tarfile.TarInfo(MANIFEST)
    header.size = -1024
    content[: tarfile.BLOCKSIZE] = header.tobuf(tarfile.GNU_FORMAT)


def _no_header(content):
    content[: tarfile.BLOCKSIZE] = b"x" * tarfile.BLOCKSIZE


def _twice(content):
    content[:0] = tarfile.TarInfo(MANIFEST).tobuf(tarfile.USTAR_FORMAT)


def _as_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, b"{}")


BROKEN = {
    "empty": (_keep(0), "is damaged, or no release file"),
    "truncated": (_keep(5000), "is damaged, or no release file"),
    "truncated at its end": (_keep(-1), "is damaged, or no release file"),
    "flipped": (_flip, "is damaged, or no release file"),
    "a zip archive": (_as_zip, "is damaged, or no release file"),
    "no tar archive": (_repack(_no_header), "is damaged, or no release file"),
    "a negative size": (_repack(_negative), "its member 'release.json' is no plain file"),
    "a link": (_repack(_link), "its member 'release.json' is no plain file"),
    "one member twice": (_repack(_twice), "it has two members 'release.json'"),
    "cut off in tar": (
        _repack(lambda content: content.__delitem__(slice(len(content) // 2, None))),
        "is damaged, or no release file",
    ),
    "more behind": (
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        "more follows behind its end",
    ),
    "another member": (
        _members(lambda contents: contents.update({"README.md": b"another"})),
        "the checksum of its member README.md is wrong",
    ),
    "one member more": (
        _members(lambda contents: contents.update({"more": b""})),
        "its members are not those that its release.json lists",
    ),
    "one member less": (
        _members(lambda contents: contents.pop("model.keras")),
        "its members are not those that its release.json lists",
    ),
    "no manifest": (_members(lambda contents: contents.pop(MANIFEST)), "it has no release.json"),
    "no JSON": (
        _members(lambda contents: contents.update({MANIFEST: b"{"})),
        "its release.json is no JSON",
    ),
    "deep JSON": (
        _members(lambda contents: contents.update({MANIFEST: b"[" * 10**5})),
        "its release.json is no JSON",
    ),
    "large JSON": (
        _members(lambda contents: contents.update({MANIFEST: b" " * 2**21})),
        "its release.json is too large",
    ),
    "other JSON": (
        _members(lambda contents: contents.update({MANIFEST: b"[]"})),
        "its release.json is not one of tfgen's",
    ),
    "a later format": (_says(format=2), "has the format 2, .* reads the format 1 only"),
    "no name": (_says(name="../tiny"), "must begin with a letter or digit"),
    "no files": (_says(files=[]), "must say which files it has"),
    "no model": (_says(files={}), "must list README.md, model.keras and an export"),
    "absolute": (_has("/tmp/harm"), "must not list '/tmp/harm'"),
    "outside": (_has("../harm"), "must not list '../harm'"),
    "outside of the export": (_has("export/../../harm"), "must not list 'export/../../harm'"),
    "backwards": (_has("export\\..\\harm"), "must not list"),
    "within a file": (_has("export/saved_model.pb/harm"), "must not list"),
    "unknown": (_has("setup.py"), "must not list 'setup.py'"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_release_is_refused_and_leaves_nothing(what, file, cache):
    spoil, message = BROKEN[what]
    spoil(pathlib.Path(file))
    with pytest.raises(ValueError, match=message) as raised:
        open_release(file)
    assert str(raised.value).startswith(str(file)) and "\n" not in str(raised.value)
    assert unpacked(cache) == []


def test_a_bomb_is_refused_before_it_is_unpacked(file, cache, monkeypatch):
    total = sum(map(len, read_contents(pathlib.Path(file)).values()))
    monkeypatch.setattr(manifest, "MOST_BYTES", total - 1)
    monkeypatch.setattr(release, "_unpack_member", None)  # is not called
    with pytest.raises(ValueError, match=f"at most. Received: {total:,} bytes"):
        open_release(file)
    assert unpacked(cache) == []


def test_no_more_is_unpacked_than_a_bound(file, cache, monkeypatch):
    bomb = pathlib.Path(file)
    bomb.write_bytes(lzma.compress(bytes(2**24)))
    assert bomb.stat().st_size < 10_000
    monkeypatch.setattr(release, "MOST_STREAM_BYTES", 2**20)
    with pytest.raises(ValueError, match="more than 1,048,576 bytes come out of it"):
        open_release(file)
    assert unpacked(cache) == []


def test_no_more_memory_is_taken_than_a_bound(file, cache):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**28}]
    pathlib.Path(file).write_bytes(lzma.compress(bytes(10), filters=filters))
    with pytest.raises(ValueError, match="is damaged, or no release file .*[Mm]emory usage limit"):
        open_release(file)
    assert unpacked(cache) == []


def test_random_damage_never_gets_through(file, cache):
    whole, chance = pathlib.Path(file).read_bytes(), random.Random(0)
    expected = open_release(file).manifest
    for _ in range(200):
        content = bytearray(whole)
        # Heads and tail are where names and sizes are.
        place = chance.choice([chance.randrange(len(whole)), len(whole) - chance.randrange(1, 900)])
        content[place] = chance.randrange(256)
        pathlib.Path(file).write_bytes(content)
        try:
            assert open_release(file).manifest == expected
        except ValueError as error:
            assert "release file" in str(error)
    for folder in unpacked(cache):
        assert release._read_unpacked(folder) == expected


# --- The cache


def test_what_is_damaged_in_the_cache_is_unpacked_anew(file, cache):
    found = open_release(file)
    assert unpacked(cache) == [found.folder]
    before = found.model.stat().st_mtime_ns
    assert open_release(file).model.stat().st_mtime_ns == before  # not again
    found.card.write_text("")
    assert open_release(file) == found and found.card.read_text()
    found.model.unlink()
    (found.version / "saved_model.pb").write_bytes(b"")
    assert open_release(file) == found and tfgen.load(file)


def test_a_cache_that_cannot_be_written_is_named(file, cache, tmp_path, monkeypatch):
    found = open_release(file)
    monkeypatch.setattr(release, "locked", None)  # nor is it asked for where all is there
    assert open_release(file) == found
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "taken"))
    with pytest.raises(OSError, match="Nothing can be written to .*taken/releases.* TFGEN_CACHE"):
        open_release(file)


OPEN = """
import sys
from tfgen.serving.release import open_release
print(open_release(sys.argv[1]).model.read_bytes().__len__())
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def test_processes_that_open_one_release_at_once_all_get_it(file, cache):
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(file)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    printed = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert printed == {f"{open_release(file).model.stat().st_size}\n"}
    assert len(unpacked(cache)) == 1


# --- The commands


def test_a_run_is_packed_by_its_folder(tmp_path, capsys):
    run = write_run(tmp_path / "mine")
    release_command.main([str(run)])
    assert str(run / "mine.tfgen") in capsys.readouterr().out
    assert_equal(tfgen.load(run / "mine.tfgen"), tfgen.load(run))


def test_a_release_has_no_paths_of_the_machine_that_made_it(tmp_path):
    run = write_run(tmp_path / "mine", settings={**SETTINGS, "data": "folder:/home/ana/photos"})
    release_command.main([str(run)])
    found = open_release(run / "mine.tfgen")
    assert found.manifest["training"]["data"] == "folder:photos"
    for path in found.folder.rglob("*"):
        assert path.is_dir() or not re.search(
            rb"/home/ana|%b" % str(run).encode(), path.read_bytes()
        )


def test_what_cannot_be_packed_is_one_line(tmp_path, capsys):
    for arguments, message in (
        ([tmp_path / "nothing"], "There is no complete run in"),
        ([write_run(tmp_path / "a run")], "must begin with a letter or digit"),
        ([tmp_path / "a run", f"--scores={tmp_path / 'none.json'}"], "none.json"),
    ):
        with pytest.raises(SystemExit, match=f"^release: .*{message}"):
            release_command.main([str(each) for each in arguments])


def test_commands_take_a_release(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command.main(["verify", str(file)])
    assert "every signature answers as" in capsys.readouterr().out
    command.main(["export", str(file), "again/tiny"])
    command.main(["verify", "again/tiny", f"--model={file}"])
    command.main(["convert", str(file), "--to=litert", "--signature=encode"])
    assert pathlib.Path("tiny-encode.tflite").exists()
    with pytest.raises(SystemExit, match="^tfgen: There is no release file nothing.tfgen"):
        command.main(["verify", "nothing.tfgen"])


def test_a_release_is_unpacked_for_tensorflow_serving(file, tmp_path, capsys):
    root = tmp_path / "models"
    for number in (1, 2):
        command.main(["unpack", str(file), str(root)])
        assert capsys.readouterr().out == f"{root / 'tiny' / str(number)}\n"
    assert sorted(path.name for path in (root / "tiny").iterdir()) == ["1", "2"]
    assert verify(root / "tiny", file)
    with pytest.raises(SystemExit, match="^tfgen: A release file `NAME.tfgen` is needed. Received"):
        command.main(["unpack", str(root), str(root)])


def test_a_release_that_cannot_be_served_is_one_line(tmp_path):
    (tmp_path / "broken.tfgen").write_bytes(b"broken")
    for root, message in (
        (tmp_path / "broken.tfgen", "is damaged, or no release file"),
        (tmp_path / "nothing.tfgen", "There is no release file"),
        ("http://127.0.0.1/tiny.tfgen", "must end with the file's checksum"),
    ):
        with pytest.raises(SystemExit, match=f"^tfgen: .*{message}"):
            command.main(["serve", str(root)])


def test_configure_says_which_releases_it_leaves_out(file, tmp_path, capsys):
    with pytest.raises(SystemExit, match="python -m tfgen unpack FILE.tfgen FOLDER"):
        command.main(["configure", str(tmp_path)])
    command.main(["unpack", str(file), str(tmp_path)])
    shutil.copy(file, tmp_path / "other.tfgen")
    command.main(["configure", str(tmp_path)])
    assert "Left out, since they are packed: other. To serve" in capsys.readouterr().out
    assert 'name: "tiny"' in (tmp_path / "models.config").read_text()
    assert "other" not in (tmp_path / "models.config").read_text()


def test_a_folder_that_is_called_like_a_release_is_a_folder(tmp_path):
    run = write_run(tmp_path / "run.tfgen")
    assert tfgen.load(run).compiled
