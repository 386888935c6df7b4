"""Objects that Keras can save: their configuration is read off their own arguments."""

import inspect
import types

import keras

serializable = keras.saving.register_keras_serializable(package="tfgen")

# Keras' own default. The module's name would not do: a script's is another when it is imported.
_OF_OTHERS = keras.saving.register_keras_serializable(package="Custom")


# Whose arguments are no arguments of ours.
_NOT_OURS = ("keras.", "tensorflow.", "builtins")


class Configured:
    """Gives a class whose arguments are its attributes `get_config` and `from_config`.

    Any class works in which every argument of `__init__` is kept under its own name; arguments
    may be numbers, strings, lists, networks and other serializable objects. What a class takes as
    `**kwargs` are its parents' arguments. Files with arguments' old names are read.

    Example:
        >>> @serializable
        ... @dataclasses.dataclass(frozen=True)
        ... class Uniform(Configured):
        ...     size: int
        >>> Uniform.from_config(Uniform(3).get_config())
        Uniform(size=3)
    """

    def get_config(self):
        inherited = getattr(super(), "get_config", dict)()
        own = {name: getattr(self, name) for name in argument_names(type(self))}
        return {
            **inherited,
            **{name: keras.saving.serialize_keras_object(value) for name, value in own.items()},
        }

    @classmethod
    def from_config(cls, config):
        renamed = _renamed_arguments(cls)
        return cls(
            **{
                renamed.get(name, name): keras.saving.deserialize_keras_object(value)
                for name, value in config.items()
            }
        )


def argument_names(cls):
    """Returns the names of the arguments of `cls`, its own and then those it hands to parents."""
    names = []
    for each in cls.__mro__:
        if "__init__" not in vars(each) or each.__module__.startswith(_NOT_OURS):
            continue
        parameters = list(inspect.signature(each.__init__).parameters.values())[1:]
        handed_on = [each for each in parameters if each.kind == each.VAR_KEYWORD]
        names += [each.name for each in parameters if each not in handed_on]
        if not handed_on:
            break
    return list(dict.fromkeys(names))


def make_savable(name, value):
    """Makes sure that Keras can save and load an argument of a model.

    A value of a user's own class needs nothing but its arguments as attributes: the class is
    registered here, and given `get_config` and `from_config` if it has none.

    Args:
        name: the argument's name, for messages.
        value: what was passed for it.

    Raises:
        TypeError: the value's class does not keep its arguments.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class MyGame:
        ...     margin: float = 1.0
        >>> make_savable("game", MyGame())
    """
    if isinstance(value, (list, tuple)):
        for each in value:
            make_savable(name, each)
    elif isinstance(value, types.FunctionType):
        if value.__name__ != "<lambda>":  # of which Keras itself warns, and which it does not load
            _register(value)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        cls = type(value)
        if not hasattr(value, "get_config"):
            _check_arguments(name, value)
            cls.get_config = Configured.get_config
            cls.from_config = classmethod(Configured.from_config.__func__)
        _register(cls)


def _register(value):
    """Registers a class or a function of a user's own, unless that was done."""
    known = keras.saving.get_registered_name(value) != value.__name__
    if not known and not value.__module__.startswith("keras."):
        _OF_OTHERS(value)


def _check_arguments(name, value):
    missing = [each for each in argument_names(type(value)) if not hasattr(value, each)]
    if missing:
        raise TypeError(
            f"`{name}` could not be saved: {type(value).__name__} must keep each argument of its "
            f"`__init__` as an attribute of the same name. Missing: {', '.join(missing)}. A "
            "dataclass does so."
        )


def _renamed_arguments(cls):
    """Returns the new name of each old one, of the class and its parents."""
    renamed = {}
    for each in reversed(cls.__mro__):
        renamed.update(getattr(vars(each).get("__init__"), "renamed", {}))
    return renamed
