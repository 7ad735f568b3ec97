"""The explorer as a person uses it: it answers, a changed number changes the answer, a wrong one is explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import sim

APP = Path(sim.__file__).parent.parent / "app.py"


@pytest.fixture
def app() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=60)
    page.session_state["n"] = 100
    return page.run()


def shown(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_the_first_page_answers(app: AppTest) -> None:
    assert not app.exception and not app.error
    assert {"escapes", "blast radius mean", "detection delay median", "false rollbacks"} <= set(shown(app))
    assert any("seatrial run what-if.yaml" in block.value for block in app.code)
    assert any("rung aggregated" in caption.value for caption in app.caption)


def test_a_changed_number_changes_the_answer(app: AppTest) -> None:
    before = shown(app)
    app.number_input(key="limit").set_value(50.0)
    app.run()
    after = shown(app)
    assert not app.exception and before != after


def test_every_strategy_answers(app: AppTest) -> None:
    for strategy in app.selectbox(key="strategy").options:
        app.selectbox(key="strategy").set_value(strategy).run()
        assert not app.exception and not app.error, strategy
        assert len(shown(app)) == 10


def test_a_wrong_weight_is_explained(app: AppTest) -> None:
    app.text_input(key="weights").set_value("50, 20, 100").run()
    assert not app.exception
    assert any("rise to 100" in error.value for error in app.error)


def test_the_command_says_the_same(app: AppTest, tmp_path: Path) -> None:
    """The scenario that the page shows gives the very digest that the page shows."""
    text = next(block.value for block in app.code if block.value.startswith("seatrial: scenario"))
    file = tmp_path / "what-if.yaml"
    file.write_text(text)
    assert any(sim.run(file).digest[:16] in caption.value for caption in app.caption)
