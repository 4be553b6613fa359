"""docker-compose.yml keeps the compose specification, and it and the image fit the processes that there are."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.main import PROCESSES, VERBS
from services.settings import Settings

HOUSE = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
IMAGE = (HOUSE / "deploy/images/Dockerfile").read_text()


def test_the_file_keeps_the_compose_specification() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="its wheel is for Linux on x86-64")

    assert set(compose_spec.PyCompose.from_json(json.dumps(COMPOSE)).service_names()) == set(SERVICES)


@pytest.mark.parametrize(
    "wrong",
    [{"healthchek": {}}, {"depends_on": {"kafka": {"condition": "up"}}}, {"ports": [{"published": "80"}]}],
)
def test_the_check_of_the_specification_finds_mistakes(wrong: dict[str, Any]) -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="its wheel is for Linux on x86-64")

    with pytest.raises(ValueError, match=r"healthchek|`up`|target"):
        compose_spec.PyCompose.from_json(json.dumps({"services": {"web": {"image": "x"} | wrong}}))


def test_every_process_has_its_service_and_the_one_shots_come_first() -> None:
    assert set(OURS) == {*PROCESSES, "migrate", "topics"}
    for name in OURS:
        assert SERVICES[name]["command"] == [name]
        assert name in VERBS
    for name in PROCESSES:
        waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert waits == dict.fromkeys(("migrate", "topics"), "service_completed_successfully")


def test_what_is_waited_for_exists_and_can_be_healthy() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]


def test_every_setting_that_is_passed_is_one() -> None:
    known = {f"KESHER_{name.upper()}" for name in Settings.model_fields} | {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}

    for name in OURS:
        assert SERVICES[name]["environment"].keys() <= known
    assert set(re.findall(r"\b(KESHER_\w+)=", IMAGE)) <= known


def test_health_is_asked_for_at_the_ports_that_are_listened_on() -> None:
    ports = {
        "ingest": Settings.model_fields["ingest_port"].default,
        "scorer": Settings.model_fields["scorer_metrics_port"].default,
        "projector": Settings.model_fields["projector_metrics_port"].default,
        "web": Settings.model_fields["web_port"].default,
    }

    assert set(ports) == set(PROCESSES)
    for name, port in ports.items():
        asked = SERVICES[name]["healthcheck"]["test"][-1]
        ast.parse(asked)
        assert f"http://127.0.0.1:{port}/readyz" in asked


def test_nothing_is_open_to_the_network_by_default() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published != []
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_data_outlives_the_containers_and_passwords_are_nobodys_default() -> None:
    for name in ("kafka", "postgres"):
        (volume,) = SERVICES[name]["volumes"]
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_our_containers_run_without_privileges() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "USER 10001:10001" in IMAGE


def test_the_image_copies_only_what_is_there_and_not_ignored() -> None:
    copied = {name for line in re.findall(r"^COPY ([^-].*)$", IMAGE, re.MULTILINE) for name in line.split()[:-1]}
    let_in = {line[1:] for line in (HOUSE / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied == let_in
    assert all((HOUSE / name).exists() for name in copied)


def test_topics_are_never_made_by_accident() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
