"""Objects that Keras can save: their configuration is read off their own arguments."""

import dataclasses
import enum
import inspect
import sys
import types

import keras

serializable = keras.saving.register_keras_serializable(package="tfgen")


# Whose classes are no classes of ours or of a user's.
_OTHERS = {"keras", "tensorflow", "tensorflow_probability", "numpy"} | sys.stdlib_module_names


class Configured:
    """Gives a class whose arguments are its attributes `get_config` and `from_config`.

    Any class works in which every argument of `__init__` is kept under its own name; arguments
    may be numbers, strings, lists, networks and other serializable objects. What a class takes as
    `**kwargs` are its parents' arguments. Files with arguments' old names are read. A subclass is
    known to Keras as soon as it is defined, in a new process as soon as its module is imported.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Uniform(Configured):
        ...     size: int
        >>> Uniform.from_config(Uniform(3).get_config())
        Uniform(size=3)
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("tfgen."):  # whose names are given by `serializable`
            _register(cls)

    def get_config(self):
        return {**getattr(super(), "get_config", dict)(), **_own_config(self)}

    @classmethod
    def from_config(cls, config):
        renamed = _renamed_arguments(cls)
        arguments = {
            renamed.get(name, name): keras.saving.deserialize_keras_object(value)
            for name, value in config.items()
        }
        for name in _tuples_of(cls):  # of which files make lists
            if isinstance(arguments.get(name), list):
                arguments[name] = tuple(arguments[name])
        return cls(**arguments)


def _tuples_of(cls):
    """Returns the names of a dataclass' arguments that are tuples if not given."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return [field.name for field in fields if isinstance(field.default, tuple)]


def _own_config(value):
    names = argument_names(type(value))
    return {name: keras.saving.serialize_keras_object(getattr(value, name)) for name in names}


def argument_names(cls):
    """Returns the names of the arguments of `cls`, its own and then those it hands to parents."""
    names = []
    for each in cls.__mro__:
        if "__init__" not in vars(each) or not _is_of_a_user(each):
            continue
        parameters = list(inspect.signature(each.__init__).parameters.values())[1:]
        handed_on = [each for each in parameters if each.kind == each.VAR_KEYWORD]
        unnamed = [each for each in parameters if each.kind == each.VAR_POSITIONAL]
        names += [each.name for each in parameters if each not in (*handed_on, *unnamed)]
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
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            make_savable(name, each)
    elif isinstance(value, types.FunctionType):
        if "<" not in value.__qualname__:  # not of lambdas and closures: many have one name
            _register(value)
    elif not isinstance(value, (type, enum.Enum)) and _is_of_a_user(type(value)):
        if not hasattr(value, "get_config"):
            _check_arguments(name, value)
            _give_configuration(type(value))
        _register(type(value))


def register_imported(config):
    """Registers the classes that a file names and that this process has imported already.

    Values of a user's own need not derive from a class of tfgen's, which would register them.

    Args:
        config: a saved model's configuration, nested dicts and lists.
    """
    if isinstance(config, dict):
        module = sys.modules.get(config.get("module"))
        cls = vars(module).get(config.get("class_name")) if module else None
        package, known, _ = str(config.get("registered_name")).partition(">")
        if known and isinstance(cls, type) and _is_of_a_user(cls):
            _give_configuration(cls)
            keras.saving.register_keras_serializable(package=package)(cls)
        config = list(config.values())
    if isinstance(config, list):
        for each in config:
            register_imported(each)


def _register(value):
    """Registers a class or a function of a user's own, unless that was done.

    It is called as Keras' own default has it, "Custom>NAME". The module's name is a part only where
    two have one name: a script's module is another when it is imported.
    """
    if keras.saving.get_registered_name(value) != value.__name__ or not _is_of_a_user(value):
        return
    other = keras.saving.get_custom_objects().get(f"Custom>{value.__name__}", value)
    taken = (other.__module__, other.__qualname__) != (value.__module__, value.__qualname__)
    package = value.__module__ if taken else "Custom"
    keras.saving.register_keras_serializable(package=package)(value)


def _is_of_a_user(value):
    """Tells whether a class or function is neither Python's nor of a library that we stand on."""
    root = value.__module__.partition(".")[0]
    return root == "__main__" or root not in _OTHERS


def _give_configuration(cls):
    """Gives a class that derives from nothing of ours what `Configured` would have given it."""
    if not hasattr(cls, "get_config"):
        cls.get_config = _own_config
        cls.from_config = classmethod(Configured.from_config.__func__)


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
