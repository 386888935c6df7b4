"""What the tests of files of an earlier version share."""

import keras
import pytest

# A file is for the Keras that saved it and newer ones; for Python 3.10 there is none after 3.12.
reads_old_files = pytest.mark.skipif(
    tuple(map(int, keras.version().split(".")[:2])) < (3, 15),
    reason="the files were saved by Keras 3.15",
)
