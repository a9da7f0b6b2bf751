"""Rows 13, 27 and 28: credentials, certificates and options as people have them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests import loopback
from tests.cli.conftest import Ninjaone
from tests.loopback import Server, answering

pytestmark = pytest.mark.in_process
CALL = ("call", "list_organizations", "limit=1")


def connection_in(tmp_path: Path, **settings: object) -> str:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings))
    return "c.yaml"


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("client_secret", "sandbox-secret ", "at its end"),
        ("client_secret", "  sandbox-secret", "at its beginning"),
        ("client_secret", " sandbox-secret ", "at both ends"),
        ("client_id", "sandbox-client ", "at its end"),
    ],
)
def test_28_white_space_around_a_credential(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, field: str, value: str, where: str
) -> None:
    path = connection_in(tmp_path, **{**sandbox.connection, field: value})
    said = f"the {field} of {path} has white space {where}: remove it"
    call = ninjaone(*CALL, "-c", path)
    assert (call.returncode, call.stdout) == (2, "")
    assert said in call.stderr
    tested = ninjaone("connection", "test", "-c", path)
    assert tested.returncode == 1
    assert said in tested.stdout


def test_28_white_space_around_a_secret_of_the_environment(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    done = ninjaone(
        *CALL,
        NINJAONE_BASE_URL=sandbox.base_url,
        NINJAONE_CLIENT_ID=sandbox.client_id,
        NINJAONE_CLIENT_SECRET=f"{sandbox.client_secret} ",
    )
    assert done.returncode == 2
    assert "the client_secret of NINJAONE_* variables has white space at its end" in done.stderr


def test_28_white_space_around_a_secret_that_is_saved(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"{sandbox.client_secret} \n")
    instance = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id)
    done = ninjaone("connection", "add", "acme", *instance, "--secret-file", "secret")
    assert done.returncode == 1
    assert "has white space at its end: remove it" in done.stdout
    assert 'the client_secret of the default connection "acme" has white' in ninjaone(*CALL).stderr


def test_28_a_refused_secret_without_white_space(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    done = ninjaone(
        *CALL, "-c", connection_in(tmp_path, **{**sandbox.connection, "client_secret": "wrong wrong"})
    )
    assert "refuses the client secret" in done.stderr
    assert "white space" not in done.stderr


def trusting_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def company_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the CA of a company, and let `Server` show a certificate that it signed; give the CA's file."""
    pytest.importorskip("cryptography")
    from tests.reports.company_ca import make_ca

    ca, server = make_ca(tmp_path)
    monkeypatch.setattr(loopback, "CERTIFICATE", server)
    return ca


def test_27_the_certificate_of_a_company(
    ninjaone: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, company_ca: Path
) -> None:
    trusting_nobody(monkeypatch)
    call = ("call", "get_device", "device_id=1", "-c")
    with Server((answering,), tls=True) as server:
        path = connection_in(tmp_path, base_url=server.base_url, access_token="a-token-of-the-api")
        refused = ninjaone(*call, path)
        assert server.connections == 1
        ran = ninjaone("run", *call[1:2], "-c", path, "-i", "-", "-o", "-", stdin='{"device_id": 1}\n')
        trusted = ninjaone(*call, path, SSL_CERT_FILE=str(company_ca))
    assert refused.returncode == 1
    envelope = json.loads(refused.stdout)
    assert envelope["meta"]["transient"] is False
    assert "1 failed row to fix first" in ran.stderr
    assert (envelope["meta"]["code"], envelope["meta"]["attempts"]) == ("network_error", 1)
    assert "unable to get local issuer certificate" in envelope["error"]
    for name in ("ca_file", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        assert name in envelope["error"]
    assert trusted.returncode == 0, trusted.stdout
    assert json.loads(trusted.stdout)["has_error"] is False


def test_27_the_certificate_store_of_the_system(
    ninjaone: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, company_ca: Path
) -> None:
    """On Linux, that is what OpenSSL uses by default, which its variable replaces here."""
    trusting_nobody(monkeypatch)
    call = ("call", "get_device", "device_id=1", "-c")
    with Server((answering,), tls=True) as server:
        url = {"base_url": server.base_url, "access_token": "a-token-of-the-api", "ca_file": "system"}
        refused = ninjaone(*call, connection_in(tmp_path, **url))
        trusted = ninjaone(*call, connection_in(tmp_path, **url), SSL_CERT_FILE=str(company_ca))
        monkeypatch.setitem(sys.modules, "truststore", None)
        lacking = ninjaone(*call, connection_in(tmp_path, **url))
    assert "trusts the CA certificates of the operating system (ca_file: system)" in refused.stdout
    assert trusted.returncode == 0, trusted.stdout
    assert lacking.returncode == 2
    assert "ca_file: system requires the package truststore: run `pip install truststore`" in lacking.stderr


def test_27_the_certificate_store_of_the_system_of_a_saved_connection(
    ninjaone: Ninjaone, tmp_path: Path, sandbox: Sandbox
) -> None:
    (tmp_path / "secret").write_text(sandbox.client_secret)
    instance = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id)
    added = ninjaone("connection", "add", "acme", *instance, "--secret-file", "secret", "--ca-file", "system")
    assert added.returncode == 0, added.stderr
    assert "ca_file            system\n" in ninjaone("connection", "show", "acme").stdout


def test_27_the_certificate_of_a_company_at_sign_in(
    ninjaone: Ninjaone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting_nobody(monkeypatch)
    with Server((answering,), tls=True) as server:
        app = {"client_id": "an-app", "client_secret": "a-secret-of-the-app"}
        done = ninjaone(*CALL, "-c", connection_in(tmp_path, base_url=server.base_url, **app))
        assert server.connections == 1
    assert "certificate verify failed" in done.stderr
    assert "set ca_file of the connection" in done.stderr


def test_13_the_reported_words(ninjaone: Ninjaone, tmp_path: Path, sandbox: Sandbox) -> None:
    inputs = {"client_id": "1", "ticket_form_id": "1", "subject": "x", "priority": "{{Priority}}"}
    templates = [part for name, value in inputs.items() for part in ("-t", f"{name}={value}")]
    path = connection_in(tmp_path, **sandbox.connection)
    done = ninjaone("preview", "create_ticket", "-i", "ticket-import.csv", *templates, "-c", path, "--json")
    assert done.returncode == 0, done.stderr
    bodies = [json.loads(line)["body"] for line in done.stdout.splitlines()]
    assert [body["priority"] for body in bodies] == ["HIGH", "HIGH", "LOW"]  # Critical is the older CRITICAL


def test_13_options_in_the_case_of_a_spreadsheet(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "tickets.csv").write_text(
        "Subject,Priority,Severity,Type\n"
        "Printer,High,Major,Service_Request\n"
        "Mail,critical, minor ,incident\n"
        "Disk,LOW,NONE,PROBLEM\n"
    )
    inputs = {
        "client_id": "1",
        "ticket_form_id": "1",
        "subject": "{{ Subject }}",
        "priority": "{{ Priority }}",
        "severity": "{{ Severity }}",
        "type": "{{ Type }}",
    }
    templates = [part for name, value in inputs.items() for part in ("-t", f"{name}={value}")]
    options = ("-i", "tickets.csv", *templates, "-c", connection_in(tmp_path, **sandbox.connection))
    done = ninjaone("preview", "create_ticket", *options, "--json")
    assert done.returncode == 0, done.stderr
    bodies = [json.loads(line)["body"] for line in done.stdout.splitlines()]
    assert [(body["priority"], body["severity"], body["type"]) for body in bodies] == [
        ("HIGH", "MAJOR", "SERVICE_REQUEST"),
        ("HIGH", "MINOR", "INCIDENT"),  # the API has no CRITICAL any more; see `deviates`
        ("LOW", "NONE", "PROBLEM"),
    ]
    (tmp_path / "tickets.csv").write_text("Subject,Priority,Severity,Type\nPrinter,Urgent,Major,Task\n")
    done = ninjaone("preview", "create_ticket", *options)
    assert done.returncode == 1
    assert 'priority: the text "Urgent" is not one of NONE, LOW, MEDIUM, HIGH, CRITICAL' in done.stdout
