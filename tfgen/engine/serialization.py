"""Objects that Keras can save: their configuration is read off their own arguments."""

import inspect

import keras

serializable = keras.saving.register_keras_serializable(package="tfgen")


class Configured:
    """Gives a class whose arguments are its attributes `get_config` and `from_config`.

    Any class works in which every argument of `__init__` is kept under its own name; arguments
    may be numbers, strings, lists, networks and other serializable objects. What a class takes as
    `**kwargs` are its parents' arguments.

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
        return cls(
            **{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}
        )


def argument_names(cls):
    """Returns the names of the arguments of `cls`, its own and then those it hands to parents."""
    names = []
    for each in cls.__mro__:
        if not issubclass(each, Configured) or "__init__" not in vars(each):
            continue
        parameters = list(inspect.signature(each.__init__).parameters.values())[1:]
        handed_on = [each for each in parameters if each.kind == each.VAR_KEYWORD]
        names += [each.name for each in parameters if each not in handed_on]
        if not handed_on:
            break
    return list(dict.fromkeys(names))
