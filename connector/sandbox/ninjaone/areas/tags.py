"""Endpoints for tags and the tags of devices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, TAGS
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error, invalid
from connector.sandbox.types import given


def _seed(number: int) -> JSON:
    times: JSON = {"createTime": EPOCH, "updateTime": EPOCH, "createdByUserId": 1, "updatedByUserId": 1}
    return {"id": number, "name": TAGS[number], "description": f"Example tag {number}", **times}


def _settle(call: ApiCall, item: JSON, body: JSON) -> None:
    name = (item.get("name") or "").strip()
    if not name:
        raise invalid("name", "text that is not blank")
    item |= {"createdByUserId": 1, "updatedByUserId": 1}
    call.state.fleet.tags[item["id"]] = name


ITAM_TAGS = Collection("tag", "ItamTagPublicApiDTO", count=len(TAGS), seed=_seed, settle=_settle)
ITAM_TAGS.serve(update="updateTag")


@operation("getTags")
def get_tags(call: ApiCall) -> JSON:
    """Return all tags, each with the number of its devices."""
    worn: dict[int, int] = {}
    for facts in call.state.fleet.matching(lambda facts: bool(facts.tag_ids)):
        for tag_id in facts.tag_ids:
            worn[tag_id] = worn.get(tag_id, 0) + 1
    by = {"id": 1, "name": "Administrator", "email": call.state.author()["email"]}
    return {
        "tags": [
            shown(tag, "ItamTagDTO")
            | {"targetsCount": worn.get(tag["id"], 0), "createdBy": by, "updatedBy": by}
            for tag in ITAM_TAGS.items(call.state).values()
        ]
    }


@operation("createTag")
def create_tag(call: ApiCall) -> JSON:
    """Create a tag. Its name must not be in use."""
    return _create(call, given(call.body, "name", "description"))


def _create(call: ApiCall, fields: JSON) -> JSON:
    name = str(fields.get("name", "")).strip()
    if not name:
        raise invalid("name", "text that is not blank")
    if any(tag["name"].casefold() == name.casefold() for tag in ITAM_TAGS.items(call.state).values()):
        raise application_error(409, "tag_name_already_exists")
    tag = ITAM_TAGS.add(call.state, fields, ("name", "description"))
    _settle(call, tag, fields)
    return tag


@operation("deleteTag")
def delete_tag(call: ApiCall, tag_id: int) -> None:
    """Delete the tag, and remove it from devices."""
    _delete(call.state, [tag_id])


@operation("deleteTags")
def delete_tags(call: ApiCall) -> None:
    """Delete the given tags; all or none."""
    _delete(call.state, call.body)


@operation("mergeTags")
def merge_tags(call: ApiCall) -> JSON:
    """Replace tags by one of them on all devices, and delete the others."""
    body, state = call.body, call.state
    merged = [ITAM_TAGS.find(state, tag_id)["id"] for tag_id in body.get("tagIds") or []]
    if not merged:
        raise invalid("tagIds", "at least one tag")
    if body.get("mergeMethod") == "MERGE_INTO_EXISTING_TAG":
        if body.get("mergeIntoTagId") is None:
            raise invalid("mergeIntoTagId", "a value, for MERGE_INTO_EXISTING_TAG")
        target = ITAM_TAGS.find(state, body["mergeIntoTagId"])
    elif body.get("mergeMethod") == "MERGE_INTO_NEW_TAG":
        target = _create(call, given(body, "name", "description"))
    else:
        raise invalid("mergeMethod", "a value")
    for facts in list(state.fleet.matching(lambda facts: bool(set(merged) & set(facts.tag_ids)))):
        _wear(state, facts.id, {*facts.tag_ids, target["id"]})
    _delete(state, [tag_id for tag_id in merged if tag_id != target["id"]])
    return target


@operation("batchUpdateTags")
def update_tags_of_devices(call: ApiCall, asset_type: str) -> None:
    """Add tags to devices, and remove others; on all devices or none."""
    state, body = call.state, call.body
    added = {ITAM_TAGS.find(state, tag_id)["id"] for tag_id in body.get("tagIdsToAdd") or []}
    gone = {ITAM_TAGS.find(state, tag_id)["id"] for tag_id in body.get("tagIdsToRemove") or []}
    found = [state.device(device_id) for device_id in body.get("assetIds") or []]
    for facts in found:
        _wear(state, facts.id, ({*facts.tag_ids} - gone) | added)


@operation("setTagsForAsset")
def set_tags(call: ApiCall, asset_type: str, asset_id: int) -> None:
    """Set the tags of the device."""
    call.state.device(asset_id)
    tags = [ITAM_TAGS.find(call.state, tag_id)["id"] for tag_id in call.body.get("tagIds") or []]
    _wear(call.state, asset_id, tags)


def _wear(state: State, device_id: int, tag_ids: Iterable[int]) -> None:
    state.fleet.change(device_id).tag_ids = tuple(sorted(set(tag_ids)))


def _delete(state: State, tag_ids: Iterable[Any]) -> None:
    gone = {ITAM_TAGS.find(state, tag_id)["id"] for tag_id in tag_ids}
    for tag_id in gone:
        del ITAM_TAGS.items(state)[tag_id]
        state.fleet.tags.pop(tag_id, None)
    for facts in list(state.fleet.matching(lambda facts: bool(gone & set(facts.tag_ids)))):
        _wear(state, facts.id, set(facts.tag_ids) - gone)
