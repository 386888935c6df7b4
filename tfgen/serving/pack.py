"""Writes release files, see `tfgen.serving.manifest`."""

import json
import pathlib
import tempfile
import zipfile

import numpy as np
from tensorflow.core.protobuf import fingerprint_pb2

import tfgen
from tfgen.serving.archive import write_archive
from tfgen.serving.card import Usage, model_card
from tfgen.serving.definitions import read_definitions
from tfgen.serving.description import describe
from tfgen.serving.export import export
from tfgen.serving.load import load
from tfgen.serving.manifest import (
    CARD,
    EXPORT,
    FORMAT,
    MANIFEST,
    MODEL,
    SUFFIX,
    check_name,
    check_sizes,
)
from tfgen.serving.release import digest_of
from tfgen.utils.files import atomic_write
from tfgen.utils.versions import versions

_TIME_OF_KERAS = "1980-01-01@00:00:00"


def pack(source, path, training, origin=None, half=False):
    """Packs a saved model with its export and its card as one file.

    The same model gives the same bytes, in a process that packs nothing else before: TensorFlow
    numbers the functions of a process.

    Args:
        source: what `tfgen.load` takes: the `.keras` file of a `tfgen.GenerativeModel`.
        path: the file, `FOLDER/NAME.tfgen`, which is written anew.
        training: a dict of what is known of its training, for the manifest, the export and the
            card.
        origin: a `tfgen.serving.card.Origin`, for the card.
        half: whether to round the weights to half precision. They stay float32; the file is about
            half as large.

    Raises:
        OSError: there is no such model, or the file cannot be written.
        ValueError: it has another ending, a name that no release may have, or a weight is beyond
            half precision.

    Example:
        >>> pack("runs/vae_fashion/model.keras", "vae_fashion.tfgen", {"data": "embedded"})
    """
    path = pathlib.Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(f"A release file must end in {SUFFIX}. Received: {path}.")
    check_name(path.stem)
    model = load(source, compile=False)  # without the optimizers' state
    if half:
        round_to_half(model)
        training = {**training, "half_precision": True}
    with tempfile.TemporaryDirectory() as folder:
        members = _write_members(model, pathlib.Path(folder), path.stem, training, origin)
        check_sizes([member.stat().st_size for member in members.values()])
        manifest = {
            "format": FORMAT,
            "name": path.stem,
            "tfgen": tfgen.__version__,
            "training": training,
            "files": {name: digest_of(member) for name, member in sorted(members.items())},
        }
        first = pathlib.Path(folder) / MANIFEST
        first.write_text(json.dumps(manifest, indent=2) + "\n")
        with atomic_write(path) as temporary:
            write_archive(temporary, {MANIFEST: first, **dict(sorted(members.items()))})


def round_to_half(model):
    """Rounds a model's weights to half precision, and keeps them as float32.

    Raises:
        ValueError: a weight is too large for half precision.
    """
    for variable in model.variables:
        if variable.dtype != "float32":
            continue
        with np.errstate(over="ignore"):  # told below
            values = np.asarray(variable).astype(np.float16).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError(
                f"The weights {variable.path} have values beyond half precision (65,504). Leave "
                "them as they are."
            )
        variable.assign(values)


def _write_members(model, folder, name, training, origin):
    """Writes all members but the manifest; returns their paths by name."""
    model.save(folder / MODEL)
    _forget_time(folder / MODEL)
    version = export(model, folder / "export", training)
    _forget_chance(version / "fingerprint.pb")
    known = {**training, **describe(model), "versions": versions()}
    card = model_card(name, known, read_definitions(version), _usage(name), origin)
    for path in (folder / CARD, version / CARD):
        path.write_text(card)
    exported = {
        f"{EXPORT}{path.relative_to(version).as_posix()}": path
        for path in version.rglob("*")
        if path.is_file()
    }
    return {CARD: folder / CARD, MODEL: folder / MODEL, **exported}


def _usage(name):
    return Usage(
        python=f'import tfgen\n\nmodel = tfgen.load("{name}{SUFFIX}")',
        shell=f"python -m tfgen serve {name}{SUFFIX}",
    )


def _forget_time(path):
    """Writes a `.keras` file again, without the time at which it was saved."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    metadata = {**json.loads(contents["metadata.json"]), "date_saved": _TIME_OF_KERAS}
    contents["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # of the year 1980


def _forget_chance(path):
    """Writes a SavedModel's fingerprint again, without the number drawn when it was saved."""
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = str(fingerprint.saved_model_checksum)
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
