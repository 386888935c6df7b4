"""Where code lies, and which way imports run."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# Each room may import from those behind it in its line, and from itself.
ROOMS = {
    "utils": (),
    "engine": ("utils",),
    "distributions": ("engine", "utils"),
    "data": ("engine", "utils"),
    "objectives": ("distributions", "engine", "utils"),
    "layers": ("objectives", "distributions", "engine", "utils"),
    "models": ("layers", "objectives", "distributions", "data", "engine", "utils"),
    "networks": ("layers", "objectives", "distributions", "engine", "utils"),
}
LONGEST = 300  # lines of a file that is no table and no template


def imports(path):
    """Returns the modules that a file imports, those of functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room):
    allowed = {room, *ROOMS[room]}
    for path in (ROOT / "tfgen" / room).rglob("*.py"):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "training":
                raise AssertionError(f"{path} imports {name}")
            if parts[0] == "tfgen" and len(parts) > 1 and parts[1] != "__version__":
                assert parts[1] in allowed, f"{path} imports {name}"


def test_the_library_imports_no_command():
    for path in (ROOT / "tfgen").rglob("*.py"):
        assert not any(name.split(".")[0] == "training" for name in imports(path)), path


@pytest.mark.parametrize("folder", ["tfgen", "training"])
def test_there_is_no_circle(folder):
    modules = {}
    for path in (ROOT / folder).rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path

    def needed(name):
        """The modules that a module imports when it is imported itself."""
        for node in ast.parse(modules[name].read_text()).body:
            if isinstance(node, ast.ImportFrom):
                for each in (node.module, *(f"{node.module}.{a.name}" for a in node.names)):
                    if each in modules and each != name:
                        yield each
            elif isinstance(node, ast.Import):
                yield from (a.name for a in node.names if a.name in modules and a.name != name)

    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"a circle: {' -> '.join([*open_, name])}"
        if name in done:
            return
        open_.append(name)
        for each in needed(name):
            # A package's own file names what is in it; its parts import each other by their names.
            if not name.startswith(f"{each}."):
                visit(each)
        open_.pop()
        done.add(name)

    for name in modules:
        visit(name)


@pytest.mark.parametrize("folder", ["tfgen", "training"])
def test_files_are_short(folder):
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long


def test_private_names_of_keras_are_in_one_file():
    for folder in ("tfgen", "training"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "keras_internals.py":
                assert not any(name.startswith("keras.src") for name in imports(path)), path
