"""Connections: their hosts and credentials; errors explain what is wrong and show no secret."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.common.package_data import schema
from connector.connections.connection import (
    Connection,
    connection_from_file,
    described,
    load_connection,
    make_connection,
)
from connector.connections.saved import SavedConnections
from connector.connections.secret_store import SecretStore
from connector.errors import ConnectionSetupError

SECRET = "S3cret-value-of-the-app"
APP = {"client_id": "an-app", "client_secret": SECRET}
GOOD = {"region": "eu", **APP}


def write(folder: Path, settings: Any) -> Path:
    path = folder / "connection.yaml"
    path.write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings, sort_keys=False))
    return path


def fault(service: Service, path: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConnectionSetupError) as caught:
        load_connection(service, str(path), environment or {})
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    return str(caught.value)


# --- from a file -------------------------------------------------------------------------------------------


def test_every_setting_of_a_file(service: Service, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    settings = {
        "service": "ninjaone",
        "base_url": "https://acme.example.com/",
        **APP,
        "scope": "monitoring",
        "timeout_s": 5,
        "verify_tls": False,
        "ca_file": str(tmp_path / "ca.pem"),
        "proxy": "http://proxy:8080",
        "refresh_token": "a-refresh-token",
        "health_checks_off": ["users", "scopes"],
    }
    assert load_connection(service, str(write(tmp_path, settings)), {}) == Connection(
        service="ninjaone",
        base_url="https://acme.example.com",
        client_id="an-app",
        client_secret=SECRET,
        scope="monitoring",
        timeout_s=5,
        verify_tls=False,
        ca_file=str(tmp_path / "ca.pem"),
        proxy="http://proxy:8080",
        refresh_token="a-refresh-token",
        health_checks_off=("users", "scopes"),
    )


@pytest.mark.parametrize("region", ["us", "us2", "eu", "ca", "oc", "fed"])
def test_a_region_is_a_host(service: Service, tmp_path: Path, region: str) -> None:
    found = load_connection(service, str(write(tmp_path, {**GOOD, "region": region})), {})
    assert found.base_url == service.regions[region]
    assert found.base_url.startswith("https://")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]:80",
        "https://x.example.com:8443",
        "HTTPS://x.y",
    ],
)
def test_a_host_of_ones_own(service: Service, tmp_path: Path, url: str) -> None:
    assert load_connection(service, str(write(tmp_path, {"base_url": url, **APP})), {}).base_url == url


FAR = "with an http:// base_url, secrets would be sent unencrypted to the proxy"
LOOKS = "base_url must look like https://app.example.com"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://app.example.com", "base_url must use https://, because http:// is not encrypted"),
        ("http://localhost.example.com", "base_url must use https://"),
        ("http://127.0.0.1.example.com", "base_url must use https://"),
        ("app.example.com", LOOKS),
        ("ftp://app.example.com", LOOKS),
        ("https://", LOOKS),
        ("https:///path", LOOKS),
        ("https://x?a=1", LOOKS),
        ("https://x#a", LOOKS),
        (f"https://user:{SECRET}@x", LOOKS),
        (f"https://:{SECRET}@x", LOOKS),
        (f"https://user:{SECRET}/x@y", LOOKS),
        ("https://x:port", LOOKS),
        ("https://x:99999", LOOKS),
        ("https://[::1", LOOKS),
        ("", LOOKS),
    ],
)
def test_a_host_that_cannot_be_used_is_refused(
    service: Service, tmp_path: Path, url: str, message: str
) -> None:
    assert message in fault(service, write(tmp_path, {"base_url": url, **APP}))


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ({**APP}, "set either region (us, us2, eu, ca, oc, fed) or base_url"),
        ({**GOOD, "base_url": "https://x.y"}, "set either region"),
        ({**GOOD, "region": "eu2"}, 'no region "eu2" (did you mean "eu"?); known: us, us2, eu'),
        ({**GOOD, "region": "mars"}, 'no region "mars"; known: us'),
        ({"region": "eu"}, "set client_id with client_secret or refresh_token, or access_token"),
        ({"region": "eu", "client_id": "x"}, "set client_id with client_secret"),
        ({"region": "eu", "client_secret": SECRET}, "set client_id with client_secret"),
        ({"region": "eu", "refresh_token": SECRET}, "set client_id with client_secret or refresh_token"),
        ({**GOOD, "health_checks_off": "users"}, "line 4: health_checks_off must be an array, not text"),
        ({**GOOD, "health_checks_off": ["Users"]}, 'no health check "Users"; known: organizations, '),
        ({**GOOD, "health_checks_off": ["sign-in"]}, 'no health check "sign-in"'),
        ({**GOOD, "health_checks_off": [["users"]]}, "no health check"),
        ({**GOOD, "cient_id": "x"}, 'line 4: unknown setting "cient_id" (did you mean "client_id"?)'),
        ({**GOOD, 5: "x"}, 'line 4: unknown setting "5"'),
        ({**GOOD, "service": "other"}, "line 4: this connection is for another service than ninjaone"),
        ({**GOOD, "scope": ["a"]}, "line 4: scope must be text, not an array"),
        ({**GOOD, "client_id": 5}, "line 2: client_id must be text, not an integer"),
        ({**GOOD, "client_secret": None}, "line 3: client_secret must be text, not null"),
        ({**GOOD, "timeout_s": "5"}, "line 4: timeout_s must be a number, not text"),
        ({**GOOD, "timeout_s": True}, "line 4: timeout_s must be a number, not a boolean"),
        ({**GOOD, "timeout_s": 0}, "timeout_s must be a number of seconds greater than 0"),
        ({**GOOD, "timeout_s": -1}, "timeout_s must be a number of seconds"),
        ({**GOOD, "total_timeout_s": 0}, "total_timeout_s must be a number of seconds greater than 0"),
        ({**GOOD, "total_timeout_s": "9"}, "line 4: total_timeout_s must be a number, not text"),
        ({**GOOD, "largest_body_mb": 0}, "largest_body_mb must be a number of MiB greater than 0"),
        ({**GOOD, "verify_tls": "yes"}, "line 4: verify_tls must be true or false, not text"),
        ({**GOOD, "ca_file": "/nowhere/ca.pem"}, "ca_file /nowhere/ca.pem does not exist"),
        ({"region": "eu", "access_token": f"{SECRET}\n"}, "access_token has a line break"),
        ({"region": "eu", "access_token": f"{SECRET}ü"}, "access_token has characters that a"),
        (
            {**GOOD, "client_secret": f"{SECRET}\n"},
            "client_secret has a line break or another invisible character at its end",
        ),
        (
            {**GOOD, "client_id": "\tan-app"},
            "client_id has a line break or another invisible character at its b",
        ),
        ({**GOOD, "client_secret": f"\u200b{SECRET}"}, "client_secret has a line break or another"),
        ({"base_url": "http://localhost", **APP, "proxy": f"http://u:{SECRET}@p"}, FAR),
        ({"base_url": "http://localhost", **APP, "proxy": f"u:{SECRET}@p:8080"}, FAR),
        ({"base_url": "http://localhost", **APP, "proxy": "http://localhost@p:8080"}, FAR),
        ({"base_url": "http://localhost", **APP, "proxy": "http://[::1"}, FAR),
        ("", "a mapping is expected, not null"),
        (f"[{SECRET}]", "a mapping is expected, not an array"),
        (f"client_secret: *{SECRET}\n", "line 1: not YAML; a value with special characters needs quotes"),
        (f"region: eu\nclient_secret: !{SECRET}\n", "line 2: not YAML"),
        (f"client_secret: %{SECRET}\n", "line 1: not YAML"),
        (f"client_secret: [{SECRET}\n", "not YAML"),
        (f"region: eu\nregion: {SECRET}\n", "line 2: not YAML"),
        (f"client_secret: \x01{SECRET}\n", "not YAML"),
    ],
)
def test_a_wrong_file_is_explained_without_its_secrets(
    service: Service, tmp_path: Path, settings: Any, output: str
) -> None:
    path = write(tmp_path, settings)
    message = fault(service, path)
    assert message.startswith(str(path))
    assert output in message


@pytest.mark.parametrize(
    "proxy", ["http://u:p@localhost:8080", "127.0.0.1:8080", "http://[::1]:1", "http://p:1"]
)
def test_a_proxy_may_be_on_this_machine_or_see_only_tls(service: Service, proxy: str) -> None:
    url = "https://x.example.com" if proxy == "http://p:1" else "http://localhost:1"
    assert make_connection(service, {"base_url": url, **APP, "proxy": proxy}, "x").proxy == proxy


def test_a_file_that_is_not_there_is_a_fault(service: Service, tmp_path: Path) -> None:
    assert "cannot be read" in fault(service, tmp_path / "nowhere.yaml")


# --- environment variables ---------------------------------------------------------------------------------


def test_variables_stand_in_for_text_of_a_file(service: Service, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"base_url": "https://${HOST}.example.com", "client_id": "${A}${B}", "client_secret": "${S}"},
    )
    found = load_connection(service, str(path), {"HOST": "acme", "A": "an-", "B": "app", "S": "${HOST} $x"})
    assert (found.base_url, found.client_id) == ("https://acme.example.com", "an-app")
    assert found.client_secret == "${HOST} $x"


def test_a_variable_that_is_not_set_is_named_with_its_line(service: Service, tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "client_secret": f"{SECRET}${{MISSING}}"})
    assert "line 3: the environment variable MISSING is not set" in fault(service, path, {"OTHER": SECRET})


def test_all_from_the_environment(service: Service) -> None:
    environment = {
        "NINJAONE_REGION": "oc",
        "NINJAONE_CLIENT_ID": "an-app",
        "NINJAONE_CLIENT_SECRET": SECRET,
        "NINJAONE_TIMEOUT_S": "7.5",
        "NINJAONE_VERIFY_TLS": "No",
        "NINJAONE_SCOPE": "",
        "NINJAONE_HEALTH_CHECKS_OFF": "users,scopes",
    }
    found = load_connection(service, None, environment)
    assert (found.base_url, found.client_secret) == (service.regions["oc"], SECRET)
    assert (found.timeout_s, found.verify_tls, found.scope) == (7.5, False, "")
    assert found.health_checks_off == ("users", "scopes")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NINJAONE_VERIFY_TLS": "maybe"}, 'NINJAONE_VERIFY_TLS: "maybe" is neither true nor false'),
        ({"NINJAONE_TIMEOUT_S": "soon"}, 'NINJAONE_TIMEOUT_S: "soon" is not a number'),
        ({"NINJAONE_TIMEOUT_S": "nan"}, "timeout_s must be a number of seconds"),
        ({"NINJAONE_TIMEOUT_S": "inf"}, "timeout_s must be a number of seconds"),
        ({"NINJAONE_REGION": "mars"}, 'NINJAONE_* variables: no region "mars"'),
        ({"NINJAONE_BASE_URL": "https://x.y"}, "set either region"),
    ],
)
def test_wrong_variables_are_named(service: Service, changes: dict[str, str], message: str) -> None:
    environment = {"NINJAONE_REGION": "eu", "NINJAONE_CLIENT_ID": "a", "NINJAONE_CLIENT_SECRET": SECRET}
    with pytest.raises(ConnectionSetupError) as caught:
        load_connection(service, None, {**environment, **changes})
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


def test_no_connection_at_all_says_how_to_give_one(service: Service) -> None:
    with pytest.raises(
        ConnectionSetupError,
        match="`ninjaone connection add NAME`, use --connection FILE, or set NINJAONE_REGION",
    ):
        load_connection(service, None, {"OTHER": "x"})


# --- which one it is ---------------------------------------------------------------------------------------


def save(name: str, region: str, **secrets: str) -> None:
    SavedConnections().save(name, {"region": region, "client_id": "an-app"})
    for field, value in (secrets or {"client_secret": SECRET}).items():
        SecretStore().set(name, field, value)


def test_what_is_given_wins_over_the_environments_name_that_over_its_settings_and_those_over_the_default(
    service: Service, tmp_path: Path
) -> None:
    for name, region in (("a", "us"), ("b", "us2"), ("c", "eu")):
        save(name, region)
    SavedConnections().make_default("c")
    settings = {
        "NINJAONE_REGION": "oc",
        "NINJAONE_CLIENT_ID": "x",
        "NINJAONE_CLIENT_SECRET": "y",
    }
    named = {**settings, "NINJAONE_CONNECTION": "b"}
    in_a_file = {**settings, "NINJAONE_CONNECTION": str(write(tmp_path, {**GOOD, "region": "ca"}))}

    def found(given: str | None, environment: dict[str, str]) -> tuple[str, str, str]:
        connection = load_connection(service, given, environment)
        (region,) = [name for name, url in service.regions.items() if url == connection.base_url]
        return region, connection.name, connection.origin

    assert found("a", named) == ("us", "a", 'the saved connection "a"')
    assert found(str(tmp_path / "connection.yaml"), named)[:2] == ("ca", "")
    assert found(None, named) == ("us2", "b", 'the saved connection "b"')
    assert found("", named)[0] == "us2"
    assert found(None, in_a_file) == ("ca", "", str(tmp_path / "connection.yaml"))
    assert found(None, settings) == ("oc", "", "NINJAONE_* variables")
    assert found(None, {"NINJAONE_CONNECTION": ""}) == ("eu", "c", 'the default connection "c"')


def test_a_connection_that_is_not_saved_is_named_with_those_that_are(service: Service) -> None:
    with pytest.raises(
        ConnectionSetupError, match='no saved connection "acme"; no connections are saved yet'
    ):
        load_connection(service, "acme", {})
    save("acme", "eu")
    with pytest.raises(ConnectionSetupError) as caught:
        load_connection(service, "acmee", {})
    assert str(caught.value) == 'no saved connection "acmee" (did you mean "acme"?); saved: acme'
    with pytest.raises(ConnectionSetupError, match='"Acme" is not a valid connection name'):
        load_connection(service, "Acme", {})


def test_without_a_default_none_is_guessed(service: Service) -> None:
    save("acme", "eu")
    with pytest.raises(
        ConnectionSetupError, match=r"there is no default among the saved ones \(acme\): use --conn"
    ):
        load_connection(service, None, {})


def test_a_wrong_variable_is_not_passed_over_for_the_default(service: Service) -> None:
    save("acme", "eu")
    SavedConnections().make_default("acme")
    with pytest.raises(ConnectionSetupError, match=r"NINJAONE_\* variables: set either region"):
        load_connection(service, None, {"NINJAONE_CLIENT_ID": "x"})


# --- saved ones --------------------------------------------------------------------------------------------


def test_a_saved_connection_has_its_secrets_from_the_store(service: Service) -> None:
    save("acme", "eu", client_secret=SECRET, refresh_token="a-refresh-token")
    found = load_connection(service, "acme", {})
    assert (found.client_id, found.client_secret, found.refresh_token) == (
        "an-app",
        SECRET,
        "a-refresh-token",
    )
    assert SECRET not in SavedConnections().path("acme").read_text()


def test_variables_stand_in_for_text_of_a_saved_connection_too(service: Service) -> None:
    proxy = "http://me:${PASSWORD}@proxy:8080"
    SavedConnections().save("acme", {"region": "eu", "client_id": "${APP}", "proxy": proxy})
    SecretStore().set("acme", "client_secret", "${NOT_TOUCHED}")
    found = load_connection(service, "acme", {"APP": "an-app", "PASSWORD": SECRET})
    assert (found.client_id, found.client_secret) == ("an-app", "${NOT_TOUCHED}")
    assert found.proxy == f"http://me:{SECRET}@proxy:8080"
    with pytest.raises(
        ConnectionSetupError, match=r"acme.yaml, line 3: the environment variable PASSWORD is not"
    ):
        load_connection(service, "acme", {"APP": "an-app"})


def test_a_saved_connection_without_a_secret_says_so(service: Service) -> None:
    SavedConnections().save("acme", {"region": "eu", "client_id": "an-app"})
    with pytest.raises(
        ConnectionSetupError,
        match='the saved connection "acme": no credentials: set client_id with client_sec',
    ):
        load_connection(service, "acme", {})


# --- secrets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({**GOOD, "proxy": "http://u:pr%40xy-Pass@proxy"}, (SECRET, "pr%40xy-Pass", "pr@xy-Pass")),
        ({**GOOD, "proxy": "u:pr0xy-Pass@proxy:8080"}, (SECRET, "pr0xy-Pass")),
        ({"region": "eu", "access_token": "T0ken-of-a-person"}, ("T0ken-of-a-person",)),
        ({"region": "eu", "client_id": "x", "refresh_token": "R3fresh-token"}, ("R3fresh-token",)),
    ],
)
def test_no_secret_is_shown(service: Service, settings: dict[str, str], secrets: tuple[str, ...]) -> None:
    connection = make_connection(service, settings, "x")
    for secret in secrets:
        assert secret in connection.secrets
        dicts = (str(asdict(connection)), str(vars(connection)), str(asdict(replace(connection, name="x"))))
        for text in (repr(connection), str(connection), connection.account, str(described(settings)), *dicts):
            assert secret not in text


def test_what_is_shown_of_secrets() -> None:
    shown = described({**GOOD, "refresh_token": "short", "proxy": f"http://u:{SECRET}@proxy:1/"})
    assert shown == {
        **GOOD,
        "client_secret": "•••-app",
        "refresh_token": "•••",
        "proxy": "http://u:•••@proxy:1/",
    }
    plain = {**GOOD, "proxy": "http://u@proxy:1"}
    assert described(plain)["proxy"] == plain["proxy"]


def test_accounts_are_told_apart_by_host_and_app_or_token(service: Service) -> None:
    settings = [
        GOOD,
        {**GOOD, "region": "ca"},
        {**GOOD, "client_id": "other"},
        {"region": "eu", "access_token": "1"},
        {"region": "eu", "access_token": "2"},
    ]
    accounts = [make_connection(service, setting, "x").account for setting in settings]
    assert len(set(accounts)) == len(accounts)
    assert make_connection(service, {**GOOD, "client_secret": "new"}, "x").account == accounts[0]


# --- the schema --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        (GOOD, True),
        (
            {"service": "ninjaone", "base_url": "https://x.y", **APP, "timeout_s": 1.5, "verify_tls": True},
            True,
        ),
        ({"region": "eu", "access_token": "x", "scope": "a", "proxy": "http://x"}, True),
        ({"region": "eu", "client_id": "x", "refresh_token": "y", "health_checks_off": ["users"]}, True),
        ({"region": "eu", "refresh_token": "y"}, False),
        ({**GOOD, "health_checks_off": ["printers"]}, False),
        ({**GOOD, "health_checks_off": "users"}, False),
        (APP, False),
        ({**GOOD, "base_url": "https://x.y"}, False),
        ({**GOOD, "region": "mars"}, False),
        ({"region": "eu", "client_id": "x"}, False),
        ({**GOOD, "timeout_s": 0}, False),
        ({**GOOD, "timeout_s": "5"}, False),
        ({**GOOD, "total_timeout_s": 0}, False),
        ({**GOOD, "largest_body_mb": 0}, False),
        ({**GOOD, "total_timeout_s": 900, "largest_body_mb": 0.5}, True),
        ({**GOOD, "verify_tls": "no"}, False),
        ({**GOOD, "service": "other"}, False),
        ({**GOOD, "more": 1}, False),
        ({"base_url": "ftp://x", **APP}, False),
        ([], False),
    ],
)
def test_the_schema_and_the_reader_agree(service: Service, tmp_path: Path, settings: Any, good: bool) -> None:
    assert validator(schema("connection.schema.json")).is_valid(settings) is good
    path = write(tmp_path, settings)
    if good:
        connection_from_file(service, path, {})
    else:
        fault(service, path)
