import argparse
import types

import pytest

from tfgen.utils.aliases import Aliases
from tfgen.utils.deprecation import renamed_arguments, renamed_names, renamed_option


@renamed_arguments(averaged="use_ema")
def generate(latents, use_ema=True):
    return latents, use_ema


def test_old_arguments_work_and_name_the_new_ones():
    with pytest.warns(FutureWarning, match="`averaged=` is now called `use_ema=`") as warned:
        assert generate(1, averaged=False) == (1, False)
    assert warned[0].filename == __file__
    assert generate(1, use_ema=False) == (1, False)
    with pytest.raises(TypeError, match="Received: both"):
        generate(1, averaged=False, use_ema=False)


def test_old_options_work_name_the_new_ones_and_are_not_in_the_help(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=int, default=30)
    old = renamed_option("--timeout")
    parser.add_argument("--seconds", type=int, dest="timeout", action=old)
    assert parser.parse_args([]).timeout == 30
    with pytest.warns(FutureWarning, match="`--seconds` is now called `--timeout`"):
        assert parser.parse_args(["--seconds=5"]).timeout == 5
    parser.print_help()
    printed = capsys.readouterr().out
    assert "--timeout" in printed and "--seconds" not in printed


def test_old_names_of_a_module_work_and_name_the_new_ones():
    module = types.ModuleType("a_module")
    module.new = 3
    module.__getattr__ = renamed_names({"old": "new"}, vars(module))
    with pytest.warns(FutureWarning, match="`old` is now called `new`"):
        assert module.old == 3
    with pytest.raises(AttributeError, match="'a_module' has no attribute 'other'"):
        _ = module.other


def test_old_names_of_commands_work_and_name_the_new_ones():
    finder = Aliases({"training.new": "tfgen.utils.files"}, {"training.old": "tfgen.utils.files"})
    message = "`training.old` is now called `tfgen.utils.files`"
    with pytest.warns(FutureWarning, match=message):
        spec = finder.find_spec("training.old")
    assert spec.origin == finder.find_spec("training.new").origin
    assert finder.find_spec("training.other") is None
