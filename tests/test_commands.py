"""`python -m tfgen`: its options, and what it says where a user errs."""

import subprocess
import sys

import pytest

from tfgen import __main__ as command

RENAMED = {
    "--batch=1": "--max-batch-size=1",
    "--rows=2": "--max-request-rows=2",
    "--waiting=3": "--max-queue-rows=3",
    "--seconds=0.5": "--timeout=0.5",
    "--largest=4": "--max-request-mib=4",
}


@pytest.mark.parametrize("old", RENAMED)
def test_old_options_of_the_server_do_what_the_new_ones_do(old):
    new = RENAMED[old]
    with pytest.warns(FutureWarning, match=f"`{old.split('=')[0]}` is .* `{new.split('=')[0]}`"):
        found = vars(command.parse(["serve", old]))
    assert found == vars(command.parse(["serve", new])) != vars(command.parse(["serve"]))


def test_an_old_option_s_warning_is_one_plain_line(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tfgen", "serve", str(tmp_path / "nothing"), "--batch=1"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    first, second = result.stderr.splitlines()
    assert first.startswith("Warning: `--batch` is now called `--max-batch-size`.")
    assert second.startswith("tfgen: There is no folder")
