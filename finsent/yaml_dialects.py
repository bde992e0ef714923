"""YAML that all its readers take for the same: what each makes of a plain scalar, and a dumper that quotes.

Python and Ruby read YAML 1.1 (https://yaml.org/type/), most others 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema). The Hub reads cards with js-yaml: 1.2, and some of 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Resolvers = dict[Any, list[tuple[str, re.Pattern[str]]]]  # by the first character, None for any

_TYPE = "tag:yaml.org,2002:"
TEXT, MERGE = f"{_TYPE}str", f"{_TYPE}merge"
_NULL = (f"{_TYPE}null", re.compile(r"(?:~|null|Null|NULL|)\Z"))
_BOOL = (f"{_TYPE}bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"))
_SPECIAL = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"


class _Loader(yaml.SafeLoader):
    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        return str(node.value).lower() in ("true", "yes", "on", "y")


_YAML11_RULES: Resolvers = {
    **yaml.SafeLoader.yaml_implicit_resolvers,
    None: [(f"{_TYPE}bool", re.compile(r"[yYnN]\Z"))],
}


class Yaml11(_Loader):
    """What Python makes of YAML, with the truth values `y` and `n` that other readers of 1.1 know."""

    yaml_implicit_resolvers = _YAML11_RULES


_YAML12_RULES: Resolvers = {
    None: [
        _NULL,
        _BOOL,
        (f"{_TYPE}int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")),
        (f"{_TYPE}float", re.compile(
            rf"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|{_SPECIAL})\Z"
        )),
    ],
}  # fmt: skip


class Yaml12(_Loader):
    """The core schema of YAML 1.2."""

    yaml_implicit_resolvers = _YAML12_RULES

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Read an integer, in which a leading zero says nothing."""
        digits = str(node.value).replace("_", "").lower()
        base = {"0b": 2, "0o": 8, "0x": 16}.get(digits.lstrip("+-")[:2], 10)
        return int(digits, base)


_HUB_YAML_RULES: Resolvers = {
    None: [
        _NULL,
        _BOOL,
        (MERGE, re.compile(r"<<\Z")),
        (f"{_TYPE}int", re.compile(
            r"[-+]?(?:0b[01_]*[01]|0o[0-7_]*[0-7]|0x[0-9a-fA-F_]*[0-9a-fA-F]|[0-9](?:[0-9_]*[0-9])?)\Z"
        )),
        (f"{_TYPE}float", re.compile(
            rf"(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
            rf"|{_SPECIAL})(?<!_)\Z"
        )),
    ],
}  # fmt: skip


class HubYaml(Yaml12):
    """js-yaml, which reads cards on the Hub; dates stay text, as they are written."""

    yaml_implicit_resolvers = _HUB_YAML_RULES


_DIALECTS: dict[str, type[yaml.SafeLoader]] = {"YAML 1.1": Yaml11, "YAML 1.2": Yaml12, "js-yaml": HubYaml}
for _class in (Yaml11, Yaml12, HubYaml):
    _class.add_constructor(f"{_TYPE}bool", _class.construct_yaml_bool)
    _class.add_constructor(f"{_TYPE}int", _class.construct_yaml_int)


@dataclass(frozen=True)
class Ambiguity:
    """A plain scalar that readers differ on; `line` counts from 0."""

    line: int
    text: str
    readings: str

    def __str__(self) -> str:
        return f"{self.text} is {self.readings}; write '{self.text}' in quotes, or a number plainly"


class _Dumper(yaml.SafeDumper):
    """Quotes what any dialect reads as something else than text; no anchors, which the Hub refuses."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ANN401  (yaml's own)
        tag = str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]  # as yaml has it
        plain = kind is yaml.ScalarNode and implicit[0] and tag == TEXT
        return "ambiguous" if plain and not is_text(value) else tag


def dump_yaml(tree: Any, width: int = 100) -> str:  # noqa: ANN401  (plain values of any depth)
    """Return plain values as YAML that every dialect reads back as they are, keys in their order."""
    return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width))


def read_hub_yaml(text: str) -> Any:  # noqa: ANN401  (as above)
    """Return what the Hub reads; yaml.YAMLError or ValueError if it reads nothing."""
    return yaml.load(text, HubYaml)


def is_text(scalar: str) -> bool:
    """Tell whether every dialect takes a plain scalar for text."""
    return all(_tag(dialect, scalar) == TEXT for dialect in _DIALECTS.values())


def _tag(dialect: type[yaml.SafeLoader], scalar: str) -> str:
    table = dialect.yaml_implicit_resolvers
    found = [*table.get(scalar[:1], ()), *table.get(None, ())]
    return next((str(tag) for tag, pattern in found if pattern.match(scalar)), TEXT)


def describe_readings(scalar: str) -> str:
    """Return what the dialects take a plain scalar for: `True (YAML 1.1), text (YAML 1.2, js-yaml)`."""
    groups: dict[str, list[str]] = {}
    for name, dialect in _DIALECTS.items():
        groups.setdefault(_reading(dialect, scalar), []).append(name)
    return ", ".join(f"{reading} ({', '.join(names)})" for reading, names in groups.items())


def _reading(dialect: type[yaml.SafeLoader], scalar: str) -> str:
    tag = _tag(dialect, scalar)
    if tag == TEXT:
        return "text"
    try:
        return repr(dialect("").construct_object(yaml.ScalarNode(tag, scalar)))
    except (yaml.YAMLError, ValueError):  # a date that is none, or a sign with a meaning of its own
        return f"a {tag.removeprefix(_TYPE)}"


def find_ambiguities(node: yaml.Node) -> Iterator[Ambiguity]:
    """Yield the plain scalars below a composed node that the dialects read differently."""
    for one, _ in _walk(node):
        if isinstance(one, yaml.ScalarNode) and one.style is None:
            text = str(one.value)
            if len({_reading(dialect, text) for dialect in _DIALECTS.values()}) > 1:
                yield Ambiguity(one.start_mark.line, text, describe_readings(text))


def find_keys_that_are_no_text(node: yaml.Node) -> Iterator[tuple[int, str, str]]:
    """Yield line (from 0), path and text of the plain keys that some dialect does not take for text."""
    for mapping, path in _walk(node):
        for key, _ in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
            plain = isinstance(key, yaml.ScalarNode) and key.style is None and key.tag != MERGE
            if plain and not is_text(key.value):
                yield key.start_mark.line, f"{path}{key.value}", str(key.value)


def _walk(node: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """Yield every node once, in the order of the text, with the path of what it holds."""
    waiting, seen = [(node, "")], set()
    while waiting:
        one, path = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one, path
        below: list[tuple[yaml.Node, str]] = []
        if isinstance(one, yaml.SequenceNode):
            below = [(child, f"{path}{index}.") for index, child in enumerate(one.value)]
        elif isinstance(one, yaml.MappingNode):
            for key, value in one.value:
                below += [(key, path), (value, f"{path}{key.value}.")]
        waiting += reversed(below)
