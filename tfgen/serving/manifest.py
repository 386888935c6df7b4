"""What a release file holds, and the check of its manifest.

A release file `NAME.tfgen` is a tar archive, packed by xz, of

* `release.json`, the manifest: the format's number, the name, how the model was trained, tfgen's
  version, and the SHA-256 of every other member;
* `README.md`, the model's card;
* `model.keras`, the model without its optimizers' state;
* `export/`, a SavedModel as `tfgen.export` writes it.

`tfgen.serving.pack` writes such files, `tfgen.serving.release` reads them.
"""

import json
import re

SUFFIX = ".tfgen"
FORMAT = 1
MANIFEST, CARD, MODEL, EXPORT = "release.json", "README.md", "model.keras", "export/"
MOST_BYTES = 2 * 2**30  # of all members together, unpacked
_MOST_MEMBERS = 10_000
MOST_STREAM_BYTES = MOST_BYTES + _MOST_MEMBERS * 1024  # with what the archive adds to each
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_name(name):
    """Tells whether a model can be called so in files and addresses: it names no other folder."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name):
    """Raises a ValueError unless a model can be called so."""
    if not is_name(name):
        raise ValueError(
            "the name of a release must begin with a letter or digit, and have only letters, "
            f"digits, '.', '_' and '-'. Received: {name!r}"
        )


def check_sizes(sizes):
    """Raises a ValueError unless members of such sizes may be unpacked.

    Args:
        sizes: a list of numbers of bytes.
    """
    if len(sizes) > _MOST_MEMBERS or sum(sizes) > MOST_BYTES:
        raise ValueError(
            f"a release may unpack to {MOST_BYTES:,} bytes in {_MOST_MEMBERS:,} files at most. "
            f"Received: {sum(sizes):,} bytes in {len(sizes):,} files"
        )


def read_manifest(text):
    """Returns what a manifest says, a dict.

    Args:
        text: its content, bytes.

    Raises:
        ValueError: it is not as tfgen writes one; the message is the reason, without a full stop.
    """
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {MANIFEST} is no JSON") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ValueError(f"its {MANIFEST} is not one of tfgen's")
    if manifest["format"] != FORMAT:
        raise ValueError(
            f"it has the format {manifest['format']!r}, and this version of tfgen reads the format "
            f"{FORMAT} only. Another version may read it"
        )
    check_name(manifest.get("name"))
    files = manifest.get("files")
    if not isinstance(files, dict) or not isinstance(manifest.get("training"), dict):
        raise ValueError(f"its {MANIFEST} must say which files it has, and how it was trained")
    if not {CARD, MODEL, f"{EXPORT}saved_model.pb"} <= files.keys():
        raise ValueError(f"its {MANIFEST} must list {CARD}, {MODEL} and an export")
    for name, digest in files.items():
        if not _may_be_member(name, files):
            raise ValueError(f"its {MANIFEST} must not list {name!r}")
        if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            raise ValueError(f"its {MANIFEST} has no checksum of {name!r}")
    return manifest


def _may_be_member(name, files):
    """Tells whether a file of that name stays within the folder, and is in no other's place."""
    if name in (CARD, MODEL):
        return True
    parts = name.split("/")
    inside = all(part not in ("", ".", "..") for part in parts) and not re.search(r"[\\:\0]", name)
    alone = not any("/".join(parts[:count]) in files for count in range(1, len(parts)))
    return name.startswith(EXPORT) and inside and alone
