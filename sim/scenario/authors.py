"""Classes of people: `./file.py:Class` or `module:Class`, with the fields that a file gives them."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sim.files import Refused, parse_duration, parse_ratio
from sim.files.words import choose, show
from sim.scenario.reader import reading

__all__ = ["find", "instance", "is_python", "known"]


def is_python(reference: str) -> bool:
    """Whether a reference names a class: `./file.py:Class` or `module:Class`."""
    place, colon, name = reference.rpartition(":")
    return (
        bool(colon and place)
        and name.isidentifier()
        and (place.endswith(".py") or all(part.isidentifier() for part in place.split(".")))
    )


def instance(reference: str, values: Mapping[str, Any]) -> Any:
    """An object of the class with these fields. Raises Refused, whatever the code does."""
    cls = find(reference)
    return _make(cls, _fields(cls, values))


def find(reference: str) -> type:
    """The class. Its source goes into the digest. Raises Refused."""
    if not is_python(reference):
        raise Refused(f"{show(reference)} names no class", "write ./file.py:Class or module:Class")
    place, _, name = reference.rpartition(":")
    module = _file(place) if place.endswith(".py") else _module(place)
    cls = getattr(module, name, None)
    if not isinstance(cls, type):
        names = sorted(
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        )
        raise Refused(f"{place} has no class {name}", choose(name, names))
    return cls


def known(reference: str) -> str:
    """The reference, if its class can be found: a check of the field that holds it."""
    find(reference)
    return reference


def _file(place: str) -> ModuleType:
    path = reading().locate(place)
    source = path.read_bytes()
    reading().cover(source)
    # The name is made of the content, so that two files of one name do not meet, and one file is one module.
    name = f"seatrial_{path.stem}_{hashlib.sha256(source).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Refused(f"{place} is no Python file", "write ./file.py:Class")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise Refused(f"{place} cannot be loaded: {_said(error)}", "correct the Python file") from None
    return module


def _module(place: str) -> ModuleType:
    try:
        module = importlib.import_module(place)
    except Exception as error:
        raise Refused(
            f"module {place} cannot be loaded: {_said(error)}", "install it, or write ./file.py:Class"
        ) from None
    origin = getattr(module, "__file__", None)
    if origin is not None:
        reading().cover(Path(origin).read_bytes())
    return module


def _fields(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with units where a dataclass has a float: `60s` and `5%` are numbers there."""
    if not is_dataclass(cls):
        return dict(values)
    names = [field.name for field in fields(cls) if field.init]
    for name in values:
        if name not in names:
            raise Refused(f"{cls.__name__} has no field {show(name)}", choose(name, names))
    try:
        hints = typing.get_type_hints(cls)
    except Exception:  # a hint that cannot be resolved says nothing about units
        hints = {}
    return {name: _value(value, hints.get(name)) for name, value in values.items()}


def _value(value: Any, hint: Any) -> Any:
    if isinstance(value, list):
        return tuple(_value(item, None) for item in value)
    if isinstance(value, str) and hint in (float, float | None):
        return parse_ratio(value) if value.endswith("%") else parse_duration(value)
    return value


def _make(cls: type, values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except Exception as error:
        raise Refused(f"{cls.__name__} cannot be made: {_said(error)}", "correct 'with:'") from None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
