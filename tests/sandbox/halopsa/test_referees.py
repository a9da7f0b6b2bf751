"""Two independent clients from the package index, as they are, against the sandbox.

They run in an environment with nothing of this project, installed from what `make wheels` has put aside.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.environments import WHEELS, environment, offline_pip, run

from .client import HaloApi, OpenHalo

CLIENTS = ("HaloPSA==2.0.2", "haloitsm-python==0.1.0")
# neither client sends a tenant
TRAPS = {"tenant": "optional"}

pytestmark = pytest.mark.slow

HALOPSA = """
    import requests
    from HaloPSA.Halo import Halo

    # the client knows hosted instances only: their address becomes the sandbox's
    send = requests.Session.request
    def redirected(session, method, url, **options):
        return send(session, method, url.replace("https://sandbox.halopsa.com", BASE_URL), **options)
    requests.Session.request = redirected
    halo = Halo("sandbox", CLIENT_ID, CLIENT_SECRET)
"""
HALOITSM = """
    from halo import HaloClient
    halo = HaloClient(BASE_URL, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
"""


@pytest.fixture(scope="session")
def referee_python(shared_folder: Path) -> Path:
    """The Python of an environment with both clients, made once for all workers."""
    if not (WHEELS / ".ready").exists():
        pytest.skip("no packages are put aside: run `make wheels`")
    folder = shared_folder / "referees"
    with FileLock(f"{folder}.lock"):
        python = folder / "bin" / "python"
        if not (folder / "ready").exists():
            environment(folder)
            offline_pip(python, "install", *CLIENTS, cwd=shared_folder)
            (folder / "ready").touch()
    return python


def told(python: Path, api: HaloApi, tmp_path: Path, *sources: str) -> Any:
    """Run sources with a client; return the JSON that the last line prints."""
    names = {
        name.upper(): api.sandbox.connection[name] for name in ("base_url", "client_id", "client_secret")
    }
    head = "import json\n" + "".join(f"{name} = {value!r}\n" for name, value in names.items())
    path = tmp_path / "referee.py"
    path.write_text(head + "".join(map(textwrap.dedent, sources)))
    return json.loads(run(python, path, cwd=tmp_path).splitlines()[-1])


def test_halopsa_lists_120_assets_over_3_pages(
    referee_python: Path, open_halo: OpenHalo, tmp_path: Path
) -> None:
    api = open_halo(TRAPS, assets=120)
    source = """
        pages = [halo.Assets.search(pageinate=True, page_no=number) for number in (1, 2, 3, 4)]
        print(json.dumps([[page["record_count"], [row["id"] for row in page["assets"]]] for page in pages]))
    """
    pages = told(referee_python, api, tmp_path, HALOPSA, source)
    assert [total for total, _ in pages] == [120, 120, 120, 120]
    assert [len(ids) for _, ids in pages] == [50, 50, 20, 0]
    assert len({number for _, ids in pages for number in ids}) == 120
    agents = {request["headers"]["user-agent"].split("/")[0] for request in api.sandbox.log.requests()}
    assert agents == {"python-requests"}


def test_halopsa_writes_arrays(referee_python: Path, open_halo: OpenHalo, tmp_path: Path) -> None:
    api = open_halo(TRAPS)
    source = """
        updated = halo.Assets.update(id=5001, fields=[{"id": 117, "value": "REFEREE"}])
        ticket = halo.Tickets.update(summary="From a referee", tickettype_id=25, client_id=11)
        closed = halo.Tickets.update(id=ticket["id"], status_id=9)
        client = halo.Clients.search(search="Alder")
        seen = [updated["key_field"], ticket["hasbeenclosed"], closed["hasbeenclosed"]]
        print(json.dumps([*seen, client["record_count"]]))
    """
    assert told(referee_python, api, tmp_path, HALOPSA, source) == ["REFEREE", None, True, 1]
    posted = [request for request in api.sandbox.log.requests() if request["method"] == "POST"]
    assert all(isinstance(request["body"], list) for request in posted)
    assert api.get("/Asset/5001")["key_field"] == "REFEREE"


def test_haloitsm_reads_and_its_bare_object_is_refused(
    referee_python: Path, open_halo: OpenHalo, tmp_path: Path
) -> None:
    api = open_halo(TRAPS, assets=120)
    source = """
        from halo.exceptions import HaloValidationError
        assets = halo.assets.list(page_size=100)
        one = halo.assets.get(5003)
        try:
            halo.assets.create({"client_id": 11, "assettype_id": 102})
            refused = False
        except HaloValidationError:
            refused = True
        print(json.dumps([len(assets), one.inventory_number, refused]))
    """
    assert told(referee_python, api, tmp_path, HALOITSM, source) == [50, "A00003", True]
    last = api.sandbox.log.requests()[-1]
    assert (last["method"], last["status"], type(last["body"])) == ("POST", 400, dict)
    assert api.get("/Asset")["record_count"] == 120


def test_haloitsm_creates_where_objects_are_taken(
    referee_python: Path, open_halo: OpenHalo, tmp_path: Path
) -> None:
    api = open_halo({**TRAPS, "bodies": "both"})
    source = """
        made = halo.assets.create({"client_id": 11, "assettype_id": 102, "inventory_number": "REF-1"})
        print(json.dumps([made.id, made.inventory_number]))
    """
    assert told(referee_python, api, tmp_path, HALOITSM, source) == [5026, "REF-1"]
