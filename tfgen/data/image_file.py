"""Image files, decoded to pixels of 8 bits."""

import contextlib

import numpy as np
from PIL import Image, ImageOps

ENDINGS = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pnm"),
}
_DEEP_GREY = {"I;16", "I;16B", "I;16L"}
# No others are tried, whatever a file is called: for some, Pillow starts other programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_GREY = {"1", "L", "LA", "I", "F", *_DEEP_GREY}


def has_colour(file):
    """Returns whether a file is a colour image; of one that is none, `read_image` will tell."""
    try:
        with _opened(file) as image:
            return image.mode not in _GREY
    except ValueError:
        return False


def read_image(file, mode, size=None):
    """Decodes an image: upright, on white where it is transparent, 16 bits scaled to 8.

    Args:
        file: its path.
        mode: "L" for grey or "RGB" for colour.
        size: `(height, width)` to cut it to around its centre and resize it to, or `None`.

    Returns:
        A uint8 array `[height, width, channels]`.

    Raises:
        ValueError: it cannot be decoded, or its pixels are of 32 bits, whose range is unknown.
    """
    with _opened(file) as image:
        pixels = _flat(_eight_bits(image)).convert(mode)
    if size is not None:
        pixels = ImageOps.fit(pixels, (size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(pixels).reshape(pixels.height, pixels.width, -1)


@contextlib.contextmanager
def _opened(file):
    """Opens a file, and names it in what goes wrong until it is closed."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            yield image
    # Of broken files Pillow raises nearly anything, and of too large ones an error of its own.
    except Exception as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise ValueError(f"{file} cannot be read as an image: {reason}.") from error


def _eight_bits(image):
    """Turns an image upright, and scales grey values of 16 bits."""
    # Pillow's own conversion would cut them off at 255. Of these formats it may read 16 bits as 32.
    is_deep = image.mode in _DEEP_GREY or image.mode == "I" and image.format in ("PNG", "PPM")
    if image.mode in ("I", "F") and not is_deep:
        raise ValueError("its pixels have 32 bits. Convert them to 8 or 16")
    image = ImageOps.exif_transpose(image)
    if not is_deep:
        return image
    values = np.asarray(image)
    grey = np.rint(values / 257).astype(np.uint8)  # 65535 / 255
    grey[values == image.info.get("transparency")] = 255
    return Image.fromarray(grey)


def _flat(image):
    """Puts what is transparent on white."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
