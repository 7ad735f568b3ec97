"""Every docstring example of the judges, special.py and chance.py runs, and every judge has one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import sim.policy.judges as judges
from sim.policy import chance, special

MODULES = [importlib.import_module(f"sim.policy.judges.{m.name}") for m in pkgutil.iter_modules(judges.__path__)]


@pytest.mark.parametrize("module", [special, chance, *MODULES], ids=lambda m: m.__name__)
def test_examples(module: ModuleType) -> None:
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


@pytest.mark.parametrize("name", judges.JUDGES)
def test_every_judge_shows_an_example(name: str) -> None:
    assert ">>> " in (judges.JUDGES[name].__doc__ or "")
