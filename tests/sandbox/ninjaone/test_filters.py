"""The grammar of the device filter, without HTTP."""

from __future__ import annotations

import pytest

from connector.sandbox.errors import HttpError
from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.data.fleet import Facts

DEVICE = Facts(
    id=7,
    organization_id=3,
    location_id=5,
    role_id=101,
    node_class="WINDOWS_SERVER",
    status="APPROVED",
    offline=False,
    created=1_700_000_000.0,  # 2023-11-14T22:13:20Z
    tag_ids=(2,),
)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "org = 3",
        "org=3",
        "organization eq 3",
        "org != 4",
        "org <> 4",
        "org neq 4",
        "org in (1, 3)",
        "org in(3)",
        "org nin (1,2)",
        "org notin (1,2)",
        "org !in (1,2)",
        "loc = 5",
        "location in (5)",
        "role = 101",
        "id in (7,8,9)",
        "class = WINDOWS_SERVER",
        "class = 'WINDOWS_SERVER'",
        "class in (MAC, WINDOWS_SERVER)",
        "status = APPROVED",
        "status != PENDING",
        "online",
        "created after 2023-11-01",
        "created > 20231101",
        "created before 2023-12-01T00:00:00.000Z",
        "created < 2023-12-01",
        "created = 2023-11-14",
        "tagId in (1,2)",
        "tagId notin (1)",
        "org = 3 AND class = WINDOWS_SERVER AND online",
        "unheardOf = 4",
        "deviceId = 99",
    ],
)
def test_matches(text):
    assert device_filter(text)(DEVICE)


@pytest.mark.parametrize(
    "text",
    [
        "org = 4",
        "org != 3",
        "org in (1,2)",
        "org nin (3)",
        "class != WINDOWS_SERVER",
        "class = windows_server",
        "status = PENDING",
        "offline",
        "created after 2023-12-01",
        "created = 2023-11-15",
        "group 563",
        "tagId in (1)",
        "tagId nin (2)",
        "org = 3 AND offline",
    ],
)
def test_does_not_match(text):
    assert not device_filter(text)(DEVICE)


def test_status_decides_about_pending_devices():
    pending = DEVICE._replace(status="PENDING")
    assert not device_filter("org = 3")(pending)
    assert device_filter("org = 3 AND status = PENDING")(pending)
    assert device_filter("status in (PENDING, APPROVED)")(pending)


@pytest.mark.parametrize(
    "text",
    [
        "org",
        "org =",
        "org = x",
        "org > 3",
        "org in 3",
        "org in (a)",
        "org = 3 and online",
        "org = 3 OR org = 4",
        "online AND",
        "created after soon",
        "created in (20231101)",
        "tagId = 1",
        "group x",
    ],
)
def test_unreadable(text):
    with pytest.raises(HttpError) as raised:
        device_filter(text)
    assert raised.value.status == 500
    assert raised.value.body["errorMessage"].startswith("InvalidFilterException")
