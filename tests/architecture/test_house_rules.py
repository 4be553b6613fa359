"""The rules of the house that no linter knows: sizes, names, one list of each, and a project that speaks of itself."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

HOUSE = Path(__file__).parents[2]
PACKAGES = ("schemas", "streams", "services")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager", "lib", "shared"}


def _tracked(*patterns: str) -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=HOUSE, capture_output=True, check=True).stdout
    return [HOUSE / name for name in found.decode().split("\0") if name and (HOUSE / name).is_file()]


SOURCES = _tracked("*.py")
MODULES = [path for path in SOURCES if path.relative_to(HOUSE).parts[0] in PACKAGES]


def _name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_400_lines() -> None:
    sizes = {_name(path): len(path.read_text().splitlines()) for path in SOURCES}

    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert median(size for name, size in sizes.items() if name.startswith(PACKAGES)) <= 120


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        f"{_name(path)}:{function.lineno} {function.name}"
        for path in SOURCES
        for function in _functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > 40
    ]

    assert long == []


def test_no_folder_or_module_is_a_drawer() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(HOUSE).parts}

    assert names & DRAWERS == set()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_in_one_to_five_lines_what_it_is(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text()), clean=False)

    assert path.stat().st_size == 0 or said, "no docstring"
    if path.name != "errors.py":  # its docstring is the tree of errors
        assert len((said or "").splitlines()) <= 5


def test_no_exception_is_swallowed() -> None:
    """No bare `except`; `except Exception` only where it is raised again or ends the process."""
    bare = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or all(isinstance(n, ast.Pass) for n in node.body))
    ]

    assert bare == []


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine, no address of a package index, nothing outside this repository."""
    foreign = ["../" + "shared", "/work" + "/", "pypi" + ".org/simple", "--index" + "-url", "file:///" + "home"]
    found = {
        f"{_name(path)}: {word}"
        for path in _tracked()
        if path.suffix not in (".png", ".woff2", ".mo")
        for word in foreign
        if word in path.read_text(errors="replace")
    }

    assert found == set()


def test_every_metric_is_used() -> None:
    from schemas import metrics

    names = [name for name, value in vars(metrics).items() if isinstance(value, metrics.Metric)]
    text = "\n".join(path.read_text() for path in MODULES if path.name != "metrics.py")

    assert [name for name in names if f"{name}" not in text] == []
    assert sorted(map(str, metrics.METRICS)) == sorted(str(vars(metrics)[name]) for name in names)


def test_every_setting_is_used() -> None:
    from services.settings import Settings

    text = "\n".join(path.read_text() for path in MODULES if path.name != "settings.py")

    assert [name for name in Settings.model_fields if f".{name}" not in text and f'"{name}"' not in text] == []


def test_every_verb_has_its_file_and_every_file_its_verb() -> None:
    from services.cli.main import VERBS

    holding = {
        path.stem.replace("_", "-") for path in MODULES if path.parent.name == "cli" and "\napp = " in path.read_text()
    }

    assert holding - {"main"} == set(VERBS)


def test_every_test_is_a_sentence() -> None:
    short = [
        f"{_name(path)}:{function.lineno} {function.name}"
        for path in SOURCES
        if path.name.startswith("test_")
        for function in _functions(path)
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]

    assert short == []
