"""Folders of images, read into memory."""

import collections
import concurrent.futures
import os
import pathlib

import numpy as np

from tfgen.data.image_file import ENDINGS, has_colour, read_image
from tfgen.data.source import Source
from tfgen.data.splits import one_in_ten

# The names of a folder's splits. The last are held out if there are none of the second, and are in
# no split but "all" otherwise.
_PARTS = (("train", "training"), ("test", "testing"), ("val", "valid", "validation"))
_SHOWN = 10  # files or folders that an error names


def read_folder(path, split, size=None, skip_unreadable=False):
    """Reads the images of a folder, those of its subfolders as classes.

    Images are read as grey if all are, else in colour; upright; transparency on white; 16 bits
    scaled to 8. All pixels are kept in memory as bytes. Hidden files and folders do not count;
    symbolic links are followed.

    Subfolders called `train` and `test` are splits, with the classes inside. Without `test`, "test"
    is `val`, `valid` or `validation`; beside `test` they are in "all" only. Where nothing is held
    out, one image in ten, in the order of their names, is kept for "test".

    Args:
        path: the folder.
        split: "train", "test" or "all".
        size: `(height, width)`: images are cut to that shape around their centre and resized.
            `None` takes them as they are, and then all must have one size.
        skip_unreadable: whether to leave out files that cannot be read, and count them.

    Returns:
        A `Source`; its labels number the subfolders in the order of their names, and are `None`
        without subfolders, or if images lie beside them. It knows how many files were left out.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
        ValueError: an image cannot be read, the images differ in size, other images lie beside
            `train`, or there are too few to keep one in ten.
    """
    folder = _existing(path)
    parts = _parts_of(folder)
    chosen = _choose(folder, parts, split)
    # All parts are looked at, that splits agree on channels and on the numbers of classes.
    every = [image for part in parts.values() for image in part]
    names = sorted({name for name, _ in every})
    mode = "RGB" if _have_colour(file for _, file in every) else "L"
    files = [file for _, file in chosen]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        images = list(pool.map(lambda file: _try_to_read(file, mode, size), files))
    broken = [image for image in images if isinstance(image, ValueError)]
    if broken and (not skip_unreadable or len(broken) == len(files)):
        raise ValueError(_describe_broken(broken, len(files)))
    kept = [index for index, image in enumerate(images) if not isinstance(image, ValueError)]
    images = [images[index] for index in kept]
    _check_one_size([files[index] for index in kept], images)
    labels = [names.index(chosen[index][0]) for index in kept]
    labelled = len(names) > 1 and "" not in names
    return Source(np.stack(images), labels if labelled else None, len(broken))


def channels_of(folders):
    """Returns the channels that images of several folders have in common: 3 if one has colour.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    found = (file for folder in folders for file in _images_in(_existing(folder)))
    return 3 if _have_colour(found) else 1


def _existing(path):
    folder = pathlib.Path(path).expanduser()
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file. Name the folder that it lies in.")
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    return folder


def _have_colour(files):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return any(pool.map(has_colour, files))


def _parts_of(folder):
    """Returns the images of each part, by the first of its names in `_PARTS`.

    Returns:
        A dict of lists of pairs: the name of an image's class, and its file. Without splits all
        images are the training part.
    """
    files = sorted(_images_in(folder))
    if not files:
        endings = ", ".join(sorted(ENDINGS))
        raise FileNotFoundError(
            f"There are no images in {folder}. Files that end in {endings} count."
        )
    tops = sorted({_top(folder, file) for file in files})
    part_of = {top: names[0] for top in tops for names in _PARTS if top.lower() in names}
    others = [top or "images in no folder" for top in tops if top not in part_of]
    if others and "train" in part_of.values():
        raise ValueError(
            f"{folder} holds the split `train` and other images beside it. Expected `train`, and "
            "`test` or `val`, with the classes inside. Received besides: "
            f"{', '.join(others[:_SHOWN])}. Move these into a split, or away; if `train` is a "
            "class, give it another name."
        )
    if others:
        return {"train": [(_top(folder, file), file) for file in files]}
    parts = collections.defaultdict(list)
    for file in files:
        top = _top(folder, file)
        parts[part_of[top]].append((_top(folder / top, file), file))
    return parts


def _choose(folder, parts, split):
    """Returns the images of a split, as they are in `parts`."""
    train, held_out = parts.get("train", []), parts.get("test") or parts.get("val")
    if split == "test" and held_out:
        return held_out
    if not train and split == "train":
        raise FileNotFoundError(
            f"There are no images to train on in {folder}, only such as are held out "
            f"({', '.join(parts)}). Name their folder itself, or add a folder `train`."
        )
    if split == "all":
        return [image for names in _PARTS for image in parts.get(names[0], [])]
    if held_out:
        return train
    return [train[place] for place in one_in_ten(len(train), split, f"the folder {folder}")]


def _images_in(folder, above=frozenset()):
    """Yields the image files below a folder: links are followed, what is hidden is left out.

    Args:
        folder: where to look.
        above: the folders that it lies in, to which a link would lead around for ever.
    """
    place = os.path.realpath(folder)
    if place in above:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _images_in(entry.path, above | {place})
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS:
                yield pathlib.Path(entry.path)


def _top(folder, file):
    """Returns the name of the first folder between a folder and a file, empty if there is none."""
    return file.relative_to(folder).parts[0] if file.parent != folder else ""


def _try_to_read(file, mode, size):
    """Returns pixels, or the error: all broken files are to be counted before one is raised."""
    try:
        return read_image(file, mode, size)
    except ValueError as error:
        return error


def _describe_broken(errors, count):
    more = f" And {len(errors) - _SHOWN} more." if len(errors) > _SHOWN else ""
    return (
        f"{len(errors)} of {count} files are broken: {' '.join(map(str, errors[:_SHOWN]))}{more} "
        "Remove or replace them, or leave them out (`skip_unreadable=True`, --skip-unreadable)."
    )


def _check_one_size(files, images):
    sizes = collections.Counter(image.shape for image in images)
    if len(sizes) == 1:
        return
    (common, _), (other, _) = sizes.most_common()[0], sizes.most_common()[-1]
    example = next(file for file, image in zip(files, images, strict=True) if image.shape == other)
    raise ValueError(
        f"The images have {len(sizes)} sizes: most are {common[0]}x{common[1]}, but {example} is "
        f"{other[0]}x{other[1]}. Give a size to bring them to, such as size=({common[0]}, "
        f"{common[1]}) or --size {common[0]}x{common[1]}."
    )
