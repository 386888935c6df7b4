import types

import pytest

from tfgen.utils.deprecation import renamed_arguments, renamed_names


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


def test_old_names_of_a_module_work_and_name_the_new_ones():
    module = types.ModuleType("a_module")
    module.new = 3
    module.__getattr__ = renamed_names({"old": "new"}, vars(module))
    with pytest.warns(FutureWarning, match="`old` is now called `new`"):
        assert module.old == 3
    with pytest.raises(AttributeError, match="'a_module' has no attribute 'other'"):
        _ = module.other
