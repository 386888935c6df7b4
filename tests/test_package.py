import subprocess
import sys
import time

import pytest

import tfgen

CHECK_IMPORTS = "import sys; {}; print(any(m in sys.modules for m in ('tensorflow', 'keras')))"


def test_every_public_name_is_there():
    for name in tfgen.__all__:
        assert getattr(tfgen, name) is not None
    assert set(dir(tfgen)) == set(tfgen.__all__)
    with pytest.raises(AttributeError, match="no attribute 'VEA'"):
        _ = tfgen.VEA


@pytest.mark.parametrize(
    "command", ["import tfgen", "import training.train; training.train.parse([])"]
)
def test_starting_is_light(command):
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", CHECK_IMPORTS.format(command)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "False"
    # The promise is half a second on a quiet machine; importing TensorFlow takes many.
    assert time.perf_counter() - start < 2
