"""Names of the release before: they still work, and tell the new ones."""

import argparse
import functools
import warnings


def warn_renamed(old, new, stacklevel=3):
    """Warns that a name has become another.

    Args:
        old: what the user typed, such as "generate_ways".
        new: what it is called now.
        stacklevel: see `warnings.warn`; 3 is the caller of who calls this.
    """
    warnings.warn(
        f"`{old}` is now called `{new}`. The old name works until the next release.",
        FutureWarning,
        stacklevel=stacklevel,
    )


def renamed_arguments(**names):
    """Lets a function take arguments by their old names, with a warning.

    The decorated function keeps the table as `renamed`, by which old files are read.

    Args:
        **names: the new name of each old one, `old="new"`.

    Raises:
        TypeError: when called with both names of one argument.

    Example:
        >>> @renamed_arguments(averaged="use_ema")
        ... def generate(latents, use_ema=True): ...
        >>> generate(latents, averaged=False)  # warns, and works
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            for old, new in names.items():
                if old not in kwargs:
                    continue
                if new in kwargs:
                    raise TypeError(f"`{old}` is the old name of `{new}`. Received: both.")
                warn_renamed(f"{old}=", f"{new}=")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        call.renamed = names
        return call

    return decorate


def renamed_option(new):
    """Returns an action of `argparse` for the old name of an option, which `--help` leaves out.

    Args:
        new: the option's name now. Its `type` must be repeated, and its `dest` named.

    Example:
        >>> parser.add_argument("--max-batch-size", type=int, default=64)
        >>> old = renamed_option("--max-batch-size")
        >>> parser.add_argument("--batch", dest="max_batch_size", type=int, action=old)
    """

    class Renamed(argparse.Action):
        def __init__(self, *args, **kwargs):
            super().__init__(
                *args, **{"default": argparse.SUPPRESS, "help": argparse.SUPPRESS, **kwargs}
            )

        def __call__(self, parser, namespace, value, option_string=None):
            warn_renamed(option_string, new)
            setattr(namespace, self.dest, value)

    return Renamed


def renamed_names(names, module):
    """Returns a module's `__getattr__` that knows its old names.

    Args:
        names: a dict from each old name to the new one.
        module: the module's `vars()`.

    Example:
        >>> __getattr__ = renamed_names({"grid": "gaussian_grid"}, globals())
    """

    def getattr_(name):
        if name not in names:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        warn_renamed(name, names[name])
        return module[names[name]]

    return getattr_
