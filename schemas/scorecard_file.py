"""A scorecard file: YAML to `schemas.scorecard.Scorecard`, every problem reported with its line and column."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from schemas.errors import InvalidScorecard, Problem, Refused
from schemas.scorecard import Scorecard, words
from schemas.scorecard_names import unknown_names

MOST_NODES = 20_000
"""Values in a scorecard, aliases written out; a real one has some hundreds."""


def load(source: Path | str) -> Scorecard:
    """A scorecard from a YAML file or its text.

    Raises InvalidScorecard with every problem found, and Refused for a file that cannot be read."""
    if isinstance(source, str):
        return _parsed(source)
    try:
        return _parsed(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{source} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{source} is not text in UTF-8: its byte {error.start + 1} cannot be read") from error
    except InvalidScorecard as error:
        raise InvalidScorecard(error.problems, str(source)) from None


def _parsed(text: str) -> Scorecard:
    tree = _tree(text)
    try:
        card = Scorecard.model_validate(_plain(tree))
    except ValidationError as error:
        raise InvalidScorecard([_problem(tree, e["loc"], _sentence(e)) for e in error.errors()]) from None
    problems = [_problem(tree, path, message) for path, message in unknown_names(card)]
    if problems:
        raise InvalidScorecard(problems)
    return card


def _tree(text: str) -> Mapping[Any, Any]:
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise InvalidScorecard([Problem(line, column, f"not YAML: {error.problem}")]) from None
    except YAMLError as error:
        raise InvalidScorecard([Problem(1, 1, f"not YAML: {error}")]) from None
    except RecursionError:
        raise InvalidScorecard([Problem(1, 1, "nested too deeply for a scorecard")]) from None
    if not isinstance(tree, Mapping):
        raise InvalidScorecard([Problem(1, 1, "a scorecard is a mapping that begins with `name:`")])
    if _expanded(tree, {}) > MOST_NODES:
        raise InvalidScorecard([Problem(1, 1, f"its aliases stand for more than {MOST_NODES:,} values")])
    return tree


def _expanded(node: Any, sizes: dict[int, int]) -> int:
    """How many values a node stands for once its aliases are written out; `sizes` remembers what was counted."""
    if isinstance(node, str) or not isinstance(node, Mapping | Sequence):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = 0
        children = node.values() if isinstance(node, Mapping) else node
        sizes[id(node)] = 1 + sum(_expanded(child, sizes) for child in children)
    elif not sizes[id(node)]:
        raise InvalidScorecard([Problem(1, 1, "an alias stands inside the value that it stands for")])
    return sizes[id(node)]


def _plain(node: Any) -> Any:
    """Ruamel's nodes as plain dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_plain(v) for v in node]
    return node


def _problem(tree: Any, path: Sequence[str | int], message: str) -> Problem:
    """A problem at the deepest place of `path` that the file has."""
    line, column, node = 0, 0, tree
    for step in path:
        if isinstance(node, CommentedMap) and step in node:
            line, column = node.lc.key(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, column = node.lc.item(step)
        else:
            break
        node = node[step]
    where = ".".join(map(str, path))
    return Problem(line + 1, column + 1, f"{where}: {message}")


def _sentence(error: ErrorDetails) -> str:
    """What pydantic found, as a person who writes a scorecard would say it."""
    match error["type"]:
        case "missing":
            return "this is missing"
        case "extra_forbidden":
            near = get_close_matches(str(error["loc"][-1]), words(), 1)
            return "there is no such word here" + (f"; did you mean `{near[0]}`?" if near else "")
    return error["msg"].removeprefix("Value error, ").replace("Input should be", "this should be")
