"""Where data by name come from, and under which licence: what a model's card says of them."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Provenance:
    """Where data come from.

    Args:
        title: what they are, in words.
        licence: who may use them, in words.
        identifier: the licence as the Hugging Face hub names it; `None` where there is none, or it
            is not known.
        hub: the data set's name on that hub, or `None`.
        shape: of an example as the data are, where that is known.
    """

    title: str
    licence: str
    identifier: str | None = None
    hub: str | None = None
    shape: tuple | None = None


def provenance(name):
    """Returns where data come from.

    Args:
        name: as for `tfgen.data.source` or `tfgen.data.domains`; of other data, nothing is known.

    Returns:
        A `Provenance`.

    Example:
        >>> provenance("embedded").licence
        'MIT, (c) 2017 Zalando SE'
    """
    scheme, _, argument = name.partition(":")
    if scheme == "classes":
        return provenance(argument.rpartition(":")[0])
    return _KNOWN.get(scheme, _own)(argument)


def public_name(name):
    """Returns a name of data without the folders that lead to it: they are nobody's business.

    Example:
        >>> public_name("folder:/home/ana/photos/")
        'folder:photos'
    """
    if "tfds:" in name:
        return name
    return re.sub(r"[^:,]*/", "", re.sub(r"/+(?=[:,]|$)", "", name))


def _embedded(_):
    return Provenance(
        "12,000 images of Fashion-MNIST (Xiao et al., 2017), a part of tfgen",
        "MIT, (c) 2017 Zalando SE",
        identifier="mit",
        hub="zalando-datasets/fashion_mnist",
        shape=(28, 28, 1),
    )


def _digits(_):
    return Provenance(
        "scikit-learn's 1,797 written digits (Alpaydin and Kaynak, UCI repository)",
        "CC BY 4.0",
        identifier="cc-by-4.0",
        shape=(8, 8, 1),
    )


def _made(title):
    return lambda _: Provenance(f"{title}, made by a function of tfgen", "none is needed")


def _tfds(argument):
    name = re.split("[/:]", argument)[0]
    return Provenance(
        f"`{name}` of TensorFlow Datasets",
        f"unknown to tfgen: see https://www.tensorflow.org/datasets/catalog/{name}",
    )


def _own(_):
    return Provenance("the trainer's own data", "unknown to tfgen: ask who trained the model")


_KNOWN = {
    "embedded": _embedded,
    "digits": _digits,
    "demo": _made("100 points of four modes in 32 dimensions"),
    "marbles": _made("15,000 images of marbles"),
    "sprites": _made("60,000 images of shapes"),
    "ring": _made("points of 8 Gaussians on a circle"),
    "grid": _made("points of 25 Gaussians on a square"),
    "tfds": _tfds,
}
