"""Makes the embedded images out of Fashion-MNIST's original files.

    $ python -m training.make_embedded FOLDER

`FOLDER` holds the four `.gz` files of https://github.com/zalandoresearch/fashion-mnist (Debian's
package `dataset-fashion-mnist` has them too). The first 1,000 training and 200 test images of each
class are kept, in their original order; the same files give the same archive.
"""

import argparse
import gzip
import hashlib
import pathlib

import numpy as np

TARGET = pathlib.Path(__file__).parents[2] / "tfgen/data/embedded/fashion_mnist.npz"
# Of the unpacked files: archives differ in how they were packed.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def main(arguments=None):
    """Writes the archive."""
    parser = argparse.ArgumentParser(
        prog="python -m training.make_embedded", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "folder", type=pathlib.Path, metavar="FOLDER", help="of the four `.gz` files"
    )
    folder = parser.parse_args(arguments).folder
    train = first_of_each_class(*read_split(folder, "train"), count=1000)
    test = first_of_each_class(*read_split(folder, "t10k"), count=200)
    np.savez_compressed(TARGET, x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    print(
        f"Wrote {TARGET}: {len(train[0])} + {len(test[0])} images, {TARGET.stat().st_size} bytes."
    )


def read_split(folder, prefix):
    """Returns the uint8 images `[n, 28, 28, 1]` and labels `[n]` of a split."""
    images = read(folder / f"{prefix}-images-idx3-ubyte.gz", offset=16).reshape(-1, 28, 28, 1)
    return images, read(folder / f"{prefix}-labels-idx1-ubyte.gz", offset=8)


def read(path, offset):
    """Returns the bytes behind an IDX file's header, once its checksum is verified."""
    content = gzip.decompress(path.read_bytes())
    found, expected = hashlib.sha256(content).hexdigest(), SHA256[path.stem]
    if found != expected:
        raise ValueError(f"{path} unpacks to SHA-256 {found}, expected {expected}.")
    return np.frombuffer(content, np.uint8, offset=offset)


def first_of_each_class(images, labels, count):
    """Returns the first `count` images of each class, and their labels, in the given order."""
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
    return images[chosen], labels[chosen]


if __name__ == "__main__":
    main()
