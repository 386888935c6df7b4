"""Two domains of examples without pairs, such as pictures of lemons and of oranges."""

import dataclasses
import pathlib

from tfgen.data.folder import channels_of
from tfgen.data.source import Source
from tfgen.data.sources import scheme_of_path, source
from tfgen.data.splits import SPLITS
from tfgen.utils.suggestions import suggest


@dataclasses.dataclass(frozen=True, eq=False)
class Domains:
    """Two sources of examples that do not belong together one by one.

    What of a `Source` is one, is a pair here: shapes, examples, batches. `tfgen.data.batches` makes
    `(images_a, images_b)` of them, each domain in an order of its own.

    Args:
        a: a `Source`.
        b: a `Source`, of any length and shape.

    Example:
        >>> stream = batches(Domains(Source(lemons), Source(oranges)), 4, repeat=True)
        >>> images_a, images_b = next(iter(stream))
    """

    a: Source
    b: Source

    def __len__(self):
        return max(len(self.a), len(self.b))

    @property
    def parts(self):
        """What a batch is drawn from, the two sources."""
        return (self.a, self.b)

    @property
    def shape(self):
        """The shapes of one example of each domain, a pair of tuples."""
        return (self.a.shape, self.b.shape)

    def floats(self, count=None):
        """Returns the first `count` examples of each domain, or all, as a pair of tensors."""
        return tuple(part.floats(count) for part in self.parts)


def domains(name, split="train", size=None, channels=None, skip_unreadable=False):
    """Loads two domains by name into memory.

    Args:
        name: one of
            "classes:NAME:A,B": two classes of labelled data, by their numbers, where NAME is
            anything that `tfgen.data.source` takes: "classes:embedded:7,9" are the sneakers and the
            ankle boots in the package, 1,000 training and 200 test images of each;
            "folder:PATH": a folder that holds the folders trainA, trainB, testA and testB; in place
            of "test" they may be called "val", "valid" or "validation", and without any one image
            in ten is held out;
            "folders:PATH_A,PATH_B": two folders, each as for "folder:PATH" of `tfgen.data.source`.
        split: "train" or "test".
        size: `(height, width)` to bring images to, see `tfgen.data.source`.
        channels: 1 for grey, 3 for colour. `None` leaves them, but for folders of which one holds
            colour images: then all are in colour.
        skip_unreadable: whether to leave out (and count) broken images.

    Returns:
        `Domains`, without labels.

    Raises:
        ValueError: an unknown name or split, or classes that are not in the data.
        FileNotFoundError: no such folder, or an empty one.

    Example:
        >>> train = tfgen.data.domains("classes:embedded:7,9")
        >>> images_a, images_b = train.floats(8)
    """
    scheme, _, argument = name.partition(":")
    if scheme not in _READERS:
        meant = f"Did you mean 'folder:{name}'?" if scheme_of_path(name) == "folder" else None
        raise ValueError(
            f"There are no domains called {name!r}. {meant or suggest(scheme, _READERS)}"
        )
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {SPLITS}. Received: split={split!r}.")

    def read(name, split, channels):
        return source(name, split, size, channels, skip_unreadable)

    return _READERS[scheme](argument, split, channels, read)


def _classes(argument, split, channels, read):
    name, _, numbers = argument.rpartition(":")
    a, b = _pair(numbers, f"classes:{argument}", "classes:NAME:A,B")
    whole = read(name, split, channels)
    members = [_members(whole, name, number) for number in (a, b)]
    # What was left out of the whole is counted once.
    return Domains(members[0], dataclasses.replace(members[1], unreadable=0))


def _folder(path, split, channels, read):
    folder = pathlib.Path(path).expanduser()
    train, *others = [
        [folder / f"{name}{side}" for side in "AB"] for name in ("train", "test", *_VALIDATION)
    ]
    held_out = next((pair for pair in others if any(side.is_dir() for side in pair)), None)
    chosen = held_out if held_out and split == "test" else train
    missing = [side.name for side in chosen if not side.is_dir()]
    if missing:
        raise FileNotFoundError(
            f"The folder {folder} must hold the folders {' and '.join(s.name for s in chosen)}. "
            f"Missing: {', '.join(missing)}. Two folders are named as 'folders:PATH_A,PATH_B'."
        )
    there = [side for side in (*train, *(held_out or [])) if side.is_dir()]
    channels = channels or channels_of(there)
    part = "all" if held_out else split
    return Domains(*(read(f"folder:{side}", part, channels) for side in chosen))


def _folders(argument, split, channels, read):
    paths = _pair(argument, f"folders:{argument}", "folders:PATH_A,PATH_B")
    channels = channels or channels_of(paths)
    return Domains(*(read(f"folder:{path}", split, channels) for path in paths))


def _pair(text, name, form):
    parts = [each.strip() for each in text.split(",")]
    if len(parts) != 2 or not all(parts) or parts[0] == parts[1]:
        raise ValueError(
            f"Expected two domains by a name of the form {form!r}, with one comma and two "
            f"different sides. Received: {name!r}."
        )
    return parts


def _members(whole, name, number):
    """Returns the examples of one class, which need no labels any more."""
    if whole.labels is None:
        raise ValueError(f"The data {name!r} have no labels to choose classes by.")
    chosen = whole.labels.astype(str) == number
    if not chosen.any():
        raise ValueError(
            f"The data {name!r} have no class {number!r}. Their classes are "
            f"{', '.join(map(str, sorted(set(whole.labels.tolist()))))}."
        )
    return dataclasses.replace(whole, images=whole.images[chosen], labels=None)


_VALIDATION = ("val", "valid", "validation")  # names of what is held out without a "test"
_READERS = {"classes": _classes, "folder": _folder, "folders": _folders}
