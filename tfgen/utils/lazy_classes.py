"""Classes that Keras finds by their registered names before their modules are imported."""

import importlib
import importlib.abc
import sys


class LazyClass:
    """Stands in Keras' registry for a class until the class' module is imported.

    Keras asks a registered class for `from_config` alone. The module, once imported, registers the
    class itself in this one's place.

    Args:
        module: where the class lives.
        name: the class' name.
    """

    def __init__(self, module, name):
        self.module = module
        self.name = name

    def from_config(self, config):
        """Imports the class, and makes an instance of it."""
        # Not from Keras' registry: while it loads a file, it reads a copy made before.
        return getattr(importlib.import_module(self.module), self.name).from_config(config)

    def __repr__(self):
        return f"<{self.module}.{self.name}, not imported yet>"


def register_lazily(classes):
    """Makes classes known to Keras, without importing Keras or the classes.

    If Keras is imported they are registered at once, otherwise as soon as it is.

    Args:
        classes: a dict from each registered name, "PACKAGE>CLASS", to the class' module.

    Example:
        >>> register_lazily({"tfgen>GAN": "tfgen.models.gans.gan"})
    """

    def register():
        registry = sys.modules["keras"].saving.get_custom_objects()
        for registered, module in classes.items():
            registry.setdefault(registered, LazyClass(module, registered.partition(">")[2]))

    if "keras" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _AfterImport("keras", register))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function once, after a module was imported; others find the module."""

    def __init__(self, name, function):
        self.name = name
        self.function = function

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.name:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((each for each in found if each is not None), None)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_call(module):
                execute(module)
                sys.meta_path.remove(self)
                self.function()

            spec.loader.exec_module = execute_and_call
        return spec
