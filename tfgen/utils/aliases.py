"""Modules that are found by a second, shorter name."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys

from tfgen.utils.deprecation import warn_renamed


class Aliases(importlib.abc.MetaPathFinder):
    """Finds modules by other names: `import tfgen.games` gives `tfgen.objectives.games`.

    The module is the same object under both names. `python -m` runs it by either.

    Args:
        homes: a dict from each alias to the module's own name.
        renamed: a dict of further aliases, the names of a release before: they warn.

    Example:
        >>> sys.meta_path.append(Aliases({"tfgen.games": "tfgen.objectives.games"}))
    """

    def __init__(self, homes, renamed=None):
        self.renamed = renamed or {}
        self.homes = {**homes, **self.renamed}

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self.homes:
            return None
        home = self.homes[fullname]
        if fullname in self.renamed:
            warn_renamed(fullname, home)
        spec = importlib.util.find_spec(home)
        return importlib.util.spec_from_file_location(
            fullname,
            spec.origin,
            loader=_AliasLoader(fullname, spec.origin, home),
            submodule_search_locations=spec.submodule_search_locations,
        )


class _AliasLoader(importlib.machinery.SourceFileLoader):
    """Loads the module by its own name. Python asks the parent class for the code to run."""

    def __init__(self, fullname, path, home):
        super().__init__(fullname, path)
        self.home = home

    def exec_module(self, module):
        # Python then takes what stands in `sys.modules`.
        sys.modules[module.__name__] = importlib.import_module(self.home)
