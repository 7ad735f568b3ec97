"""Credentials come from the environment or a file, and no output ever shows them."""

from __future__ import annotations

import base64
import io
import json
import logging
import pickle
import traceback
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from real.registry.distribution import Distribution
from real.registry.errors import RegistryError
from real.registry.harbor import projects
from real.registry.image import push
from real.registry.port import Planned
from real.registry.reference import Pinned, digest
from real.registry.secrets import FILE, PASSWORD, USER, Credentials, Redactor, Secret, credentials
from sim.policy.errors import SeatrialError
from tests.real.registry.conftest import IMAGE, Harbor, Still, wire

CANARY = 'c4nary "secret"/+ü'
FORMS = [
    CANARY, quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], base64.b64encode(CANARY.encode()).decode(),
    base64.b64encode(f"robot$shop+ci:{CANARY}".encode()).decode(),
]  # fmt: skip


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda one: f"{one!r} {one}"])
def test_a_secret_shows_stars(show: object) -> None:
    for one in (Secret(CANARY), Credentials("robot$shop+ci", Secret(CANARY))):
        text = show(one)  # type: ignore[operator]
        assert CANARY not in text and "***" in text


def test_a_secret_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps({"secret": Secret(CANARY)})
    assert f"{Secret(CANARY):>9}" == "***"


def test_credentials_come_from_the_environment() -> None:
    assert credentials({USER: "robot$shop+ci", PASSWORD: CANARY}) == Credentials("robot$shop+ci", Secret(CANARY))
    assert credentials({}) is None


@pytest.mark.parametrize("given, missing", [(USER, PASSWORD), (PASSWORD, USER)])
def test_half_of_them_is_an_error(given: str, missing: str) -> None:
    with pytest.raises(SeatrialError, match=f"{missing} is not set") as raised:
        credentials({given: CANARY})
    assert CANARY not in str(raised.value)


def test_credentials_come_from_a_file_as_harbor_exports_it(tmp_path: Path) -> None:
    file = tmp_path / "robot.json"
    file.write_text(json.dumps({"name": "robot$shop+ci", "secret": CANARY, "id": 1}), encoding="utf-8")
    wanted = Credentials("robot$shop+ci", Secret(CANARY))
    assert credentials({}, file) == credentials({FILE: str(file)}) == wanted


@pytest.mark.parametrize("content", [CANARY, json.dumps({"secret": CANARY}), json.dumps([CANARY]), ""])
def test_a_bad_file_is_named_and_its_content_is_not(tmp_path: Path, content: str) -> None:
    file = tmp_path / "robot.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SeatrialError, match="not a robot account") as raised:
        credentials({}, file)
    assert CANARY not in "".join(traceback.format_exception(raised.value))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeatrialError, match="absent.json: No such file"):
        credentials({}, tmp_path / "absent.json")


@pytest.mark.parametrize("form", FORMS)
def test_a_redactor_knows_every_form(form: str) -> None:
    redactor = Redactor()
    redactor.learn(Secret(CANARY), "robot$shop+ci")
    assert redactor.scrub(f"before {form} after") == "before *** after"
    assert redactor.scrubbed({"a": [f"x{form}", 1, None]}) == {"a": ["x***", 1, None]}
    assert CANARY not in repr(redactor)


def test_a_logger_with_the_redactor_shows_none() -> None:
    redactor, out = Redactor(), io.StringIO()
    redactor.learn(Secret(CANARY))
    handler = logging.StreamHandler(out)
    handler.addFilter(redactor)
    logger = logging.getLogger("tests.registry.secrets")
    logger.addHandler(handler)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logger.exception("went wrong with %s", CANARY)
    finally:
        logger.removeHandler(handler)
    assert CANARY not in out.getvalue() and "went wrong with ***" in out.getvalue() and "ValueError" in out.getvalue()


ECHOES = (400, 401, 403, 404, 409, 412, 422, 429, 500, 503)


@pytest.mark.parametrize("status", ECHOES)
def test_a_server_that_repeats_the_secret_does_not_get_it_into_an_error(status: int, clock: Still) -> None:
    """Every status, with every form of the secret in body, headers and address."""

    def echo(request: httpx.Request) -> httpx.Response:
        headers = {"www-authenticate": f'Bearer realm="http://registry.test/{FORMS[1]}",service="{FORMS[4]}"'}
        error = {"code": "X", "message": " ".join(FORMS)}
        return httpx.Response(status, headers=headers, json={"errors": [error], "token": CANARY})

    registry = Distribution(wire(echo, clock, "http://registry.test"), Credentials("robot$shop+ci", Secret(CANARY)))
    with pytest.raises(RegistryError) as raised:
        registry.manifest("shop/web", "1.0")
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value)  # notes are part of the first
    for form in FORMS:
        assert form not in told
    shown = repr(registry) + repr(registry.wire) + repr(registry.tokens)
    assert not [form for form in FORMS if form in shown]


def test_nothing_that_a_whole_run_prints_holds_a_secret_or_a_token(
    harbor: Harbor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    projects.create(harbor.api(), "shop")
    robot = projects.hire(harbor.api(), "shop", "ci")
    assert robot.secret is not None
    registry = harbor.registry(robot.name, robot.secret.reveal())
    push(registry.distribution, "shop/web", IMAGE, "1.0")
    found = registry.preflight(Pinned("", "shop/web", digest(IMAGE.manifest())), Planned(tag="2.0"))
    told = repr(registry) + repr(robot) + "\n".join(map(str, found)) + caplog.text
    hidden = [robot.secret.reveal(), *harbor.world.tokens]
    assert caplog.text and not [one for one in hidden if one in told]
