"""Folders of images, read into memory."""

import collections
import concurrent.futures
import pathlib

import numpy as np
from PIL import Image, ImageOps

from tfgen.data.source import Source

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
_GREY = {"1", "L", "LA"}
_DEEP = {"F", "I", "I;16", "I;16B", "I;16L"}  # converting these, Pillow cuts values off at 255


def read_folder(path, split, size=None, skip_unreadable=False):
    """Reads the images of a folder, those of its subfolders as classes.

    Images are read as grey if all are, else in colour; upright; transparency on white. With
    subfolders named `train` and `test`, a split is one of them. Otherwise one image in ten, in the
    order of their names, is kept for "test". All pixels are kept in memory as bytes.

    Args:
        path: the folder.
        split: "train", "test" or "all".
        size: `(height, width)`: images are cut to that shape around their centre and resized.
            `None` takes them as they are, and then all must have one size.
        skip_unreadable: whether to leave out files that cannot be read, and count them.

    Returns:
        A `Source`; its labels number the subfolders in the order of their names, and are `None`
        without subfolders. It knows how many files were left out.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
        ValueError: an image cannot be read, or the images differ in size.
    """
    folder = pathlib.Path(path).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    divided = all((folder / name).is_dir() for name in ("train", "test"))
    # Both splits are looked at, that they agree on channels and on the numbers of classes.
    roots = {name: folder / name if divided else folder for name in ("train", "test")}
    found = {name: _images_in(root) for name, root in roots.items()}
    files = _files_of(split, found, divided)
    if not files:
        raise FileNotFoundError(_nothing(folder, split, roots, found))
    names = sorted({_class(roots[name], file) for name in roots for file in found[name]})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        mode = "RGB" if any(pool.map(_has_colour, {*found["train"], *found["test"]})) else "L"
        images = list(pool.map(lambda file: _try_to_read(file, mode, size), files))
    broken = [image for image in images if isinstance(image, ValueError)]
    if broken and (not skip_unreadable or len(broken) == len(files)):
        raise ValueError(
            f"{len(broken)} of {len(files)} files are broken. The first: {broken[0]} Remove or "
            "replace them, or leave them out (`skip_unreadable=True`, --skip-unreadable)."
        )
    kept = [index for index, image in enumerate(images) if not isinstance(image, ValueError)]
    files, images = [files[index] for index in kept], [images[index] for index in kept]
    _check_one_size(files, images)
    labels = [names.index(_class(_root_of(file, roots), file)) for file in files]
    return Source(np.stack(images), labels if len(names) > 1 else None, len(broken))


def _files_of(split, found, divided):
    if divided:
        return found["train"] + found["test"] if split == "all" else found[split]
    if split == "all":
        return found["train"]
    return [
        file for index, file in enumerate(found[split]) if (index % 10 == 9) == (split == "test")
    ]


def _nothing(folder, split, roots, found):
    """Says why a split has no images."""
    if split != "all" and found[split]:
        return (
            f"{folder} holds {len(found[split])} images: too few to keep one in ten for the test."
        )
    where = roots.get(split, folder)
    return f"There are no images in {where}. Files that end in {', '.join(sorted(_ENDINGS))} count."


def _root_of(file, roots):
    return next(root for root in roots.values() if root in file.parents)


def _images_in(root):
    files = (file for file in root.rglob("*") if not file.name.startswith("."))
    return sorted(file for file in files if file.suffix.lower() in _ENDINGS)


def _has_colour(file):
    try:
        opened = _open(file)
    except ValueError:
        return False  # it is reported when it is to be read
    with opened as image:
        if image.mode in _DEEP:
            raise ValueError(f"{file} has more than 8 bits per channel. Convert it to 8 bits.")
        return image.mode not in _GREY


def _try_to_read(file, mode, size):
    """Returns pixels, or the error: all broken files are to be counted before one is raised."""
    try:
        return _read(file, mode, size)
    except ValueError as error:
        return error


def _read(file, mode, size):
    with _open(file) as image:
        try:
            pixels = _flat(ImageOps.exif_transpose(image)).convert(mode)
        except (OSError, SyntaxError) as error:
            raise _broken(file, error) from error
    if size is not None:
        pixels = ImageOps.fit(pixels, (size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(pixels).reshape(pixels.height, pixels.width, -1)


def _flat(image):
    """Puts what is transparent on white."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _open(file):
    try:
        return Image.open(file)
    except (OSError, SyntaxError) as error:
        raise _broken(file, error) from error


def _broken(file, error):
    return ValueError(f"{file} cannot be read as an image: {error}.")


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


def _class(root, file):
    """Returns the name of a file's first folder below `root`, empty if there is none."""
    return file.relative_to(root).parts[0] if file.parent != root else ""
