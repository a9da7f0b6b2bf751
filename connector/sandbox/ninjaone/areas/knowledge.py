"""Endpoints for the knowledge base: nested folders, and written or uploaded articles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from connector.sandbox.messages import ServerResponse
from connector.sandbox.ninjaone.api.collections import Collection, passes, shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import check_parts, operation, operations
from connector.sandbox.ninjaone.areas.attachments import download, keep_file
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import given

_ARCHIVED = ("isArchived", "archivedTime")
_ARTICLE = "KnowledgeBaseArticlePublicApiDTO"
_TIMES: JSON = {"createTime": EPOCH, "updateTime": EPOCH}
_SETTABLE = (
    *("name", "content", "organizationId", "parentFolderId"),
    *("attachments", "path", "isNinjaArticle"),
)
SEPARATOR = "|"
"""The separator of the names in the path of a folder."""


def _seeded_folder(number: int) -> JSON:
    names = ("Network", "Manuals", "Customers", "Drafts", "Printers", "Telephony")
    parent: JSON = {"parentFolderId": 1} if number == 5 else {}
    return {"id": number, "name": names[number - 1], **parent, **_TIMES}


def _seeded_article(number: int) -> JSON:
    owner: JSON = (
        {"organizationId": 1 + number % 3} if number % 2 == 0 else {"parentFolderId": 1 + number % 2}
    )
    text = f"Example article {number}"
    return {
        "id": number,
        "name": f"Article {number}",
        **owner,
        "content": {"text": text, "html": f"<p>{text}</p>"},
        "isNinjaArticle": True,
        **_TIMES,
    }


FOLDERS = Collection(
    "folder", "KnowledgeBaseFolderPublicApiDTO", count=6, archived=_ARCHIVED, seed=_seeded_folder
)
ARTICLES = Collection("article", _ARTICLE, archived=_ARCHIVED, seed=_seeded_article)
FOLDERS.serve(archive="archiveKnowledgeBaseFolders", restore="restoreKnowledgeBaseFolders")
ARTICLES.serve(
    delete="deleteKnowledgeBaseArticles",
    archive="archiveKnowledgeBaseArticles",
    restore="restoreKnowledgeBaseArticles",
)


@operation("getGlobalKnowledgeBaseArticles")
def get_global_articles(call: ApiCall) -> list[JSON]:
    """Return the articles that belong to no organization."""
    return [_article(call.state, item) for item in _listed(call) if "organizationId" not in item]


@operation("getClientKnowledgeBaseArticles")
def get_organization_articles(call: ApiCall) -> list[JSON]:
    """Return the articles of organizations."""
    wanted = call.query.get("organizationIds")
    return [
        _article(call.state, item)
        for item in _listed(call)
        if "organizationId" in item
        and (wanted is None or passes(item["organizationId"], wanted, "organizationIds"))
    ]


def _listed(call: ApiCall) -> Iterator[JSON]:
    name = call.query.get("articleName", "").casefold()
    for item in ARTICLES.items(call.state).values():
        if name in item["name"].casefold() and (call.query.get("includeArchived") or not item["isArchived"]):
            yield item


@operation("createKnowledgeBaseArticles")
def create_articles(call: ApiCall) -> list[JSON]:
    """Create articles, each in a folder.

    The folder is given by its id, or by its path, and is created if it does not exist.
    """
    places = [_place(call.state, body, "destinationFolderId", "destinationFolderPath") for body in call.body]
    for body in call.body:
        if not body.get("name"):
            raise invalid("name", "a value")
    fields = [
        {**given(body, "name", "content"), **place, "isNinjaArticle": True}
        for body, place in zip(call.body, places, strict=True)
    ]
    return [_article(call.state, _add(call.state, entry)) for entry in fields]


@operation("uploadKnowledgeBaseArticles")
def upload_articles(call: ApiCall) -> list[JSON]:
    """Create an article from each uploaded file."""
    check_parts(operations()["uploadKnowledgeBaseArticles"], call.parts)
    fields: JSON = {part.name: part.data.decode() for part in call.parts if part.name != "files"}
    for name in ("organizationId", "folderId"):
        if name in fields:
            fields[name] = int(fields[name])
    place = _place(call.state, fields, "folderId", "folderPath")
    created = []
    for part in call.parts:
        if part.name == "files":
            attachment = {
                "id": call.state.next_number("attachment", 1),
                "metadata": keep_file(call.state, part),
                "uploadStatus": "SUCCESS",
            }
            name = part.filename or "upload"
            more = {"name": name, "isNinjaArticle": False, "attachments": [attachment]}
            created.append(_article(call.state, _add(call.state, {**more, **place})))
    return created


@operation("updateKnowledgeBaseArticles")
def update_articles(call: ApiCall) -> list[JSON]:
    """Change the given fields of articles; all or none."""
    found = [(ARTICLES.find(call.state, body.get("id")), body) for body in call.body]
    for item, body in found:
        item |= given(body, "name", "content") | {"updateTime": time.time()}
    return [_article(call.state, item) for item, _ in found]


@operation("downloadKnowledgeBaseArticle")
def download_article(call: ApiCall, article_id: int) -> ServerResponse:
    """Return the uploaded file, or the article as a page. The API document declares no response."""
    item = ARTICLES.find(call.state, article_id)
    for attachment in item.get("attachments", []):
        return download(call.state, attachment["metadata"]["contentId"])
    html = item.get("content", {}).get("html", "").encode()
    disposition = f'attachment; filename="article-{article_id}.html"'
    return ServerResponse(200, {"Content-Type": "text/html", "Content-Disposition": disposition}, html)


@operation("getKnowledgeBaseFolderContent")
def get_folder(call: ApiCall, folder_id: int) -> JSON:
    """Return a folder with its contents."""
    return _folder(call, FOLDERS.find(call.state, folder_id))


@operation("getKnowledgeBaseFolderPathContent")
def get_folder_by_path(call: ApiCall) -> JSON:
    """Return a folder by its path or id, or the top level if neither is given."""
    query = call.query
    if "organizationId" in query:
        call.state.organization(query["organizationId"])
    if "folderId" in query:
        return _folder(call, FOLDERS.find(call.state, query["folderId"]))
    owner: JSON = {"organizationId": query["organizationId"]} if "organizationId" in query else {}
    found: JSON | None = None
    for name in _names(query.get("folderPath", "")):
        found = _child(call.state, name, found, owner)
        if found is None:
            raise not_found("folder")
    return _folder(call, found or {"name": "", "isArchived": False, **owner})


@operation("deleteKnowledgeBaseFolders")
def delete_folders(call: ApiCall) -> None:
    """Delete folders and everything in them."""
    for folder in [FOLDERS.find(call.state, folder_id) for folder_id in call.body]:
        _delete(call.state, folder)


@operation("move")
def move(call: ApiCall) -> None:
    """Move folders and articles to a folder, or to the top level.

    The top level is that of an organization, or the global one.
    """
    state, body = call.state, call.body
    place = _place(
        state,
        {**body, "organizationId": body.get("destinationOrganizationId")},
        "destinationFolderId",
        "destinationFolderPath",
    )
    folders = [FOLDERS.find(state, folder_id) for folder_id in body.get("folderIds") or []]
    for item in [*folders, *(ARTICLES.find(state, number) for number in body.get("documentIds") or [])]:
        if item in folders and place.get("parentFolderId") in {entry["id"] for entry in _within(state, item)}:
            raise invalid("destinationFolderId", "a folder outside the moved folders")
        for name in ("parentFolderId", "organizationId"):
            item.pop(name, None)
        item |= place


def _within(state: State, folder: JSON) -> Iterator[JSON]:
    """Return the ids of a folder and of all folders in it, at any depth."""
    yield folder
    for other in list(FOLDERS.items(state).values()):
        if other.get("parentFolderId") == folder["id"]:
            yield from _within(state, other)


def _delete(state: State, folder: JSON) -> None:
    for gone in list(_within(state, folder)):
        FOLDERS.items(state).pop(gone["id"], None)
        for article in list(ARTICLES.items(state).values()):
            if article.get("parentFolderId") == gone["id"]:
                del ARTICLES.items(state)[article["id"]]


def _place(state: State, fields: JSON, folder_id: str, folder_path: str) -> JSON:
    """Return the members `organizationId` and `parentFolderId` of a request, if they are given."""
    place: JSON = given(fields, "organizationId")
    if place:
        state.organization(place["organizationId"])
    if fields.get(folder_id) is not None:
        folder = FOLDERS.find(state, fields[folder_id])
        return given(folder, "organizationId") | {"parentFolderId": folder["id"]}
    found: JSON | None = None
    for name in _names(fields.get(folder_path) or ""):
        parent, found = found, _child(state, name, found, place)
        if found is None:
            more = {"parentFolderId": parent["id"]} if parent else {}
            fields = {"name": name, **place, **more}
            found = FOLDERS.add(state, fields, ("organizationId", "parentFolderId", "content"))
    return place | ({"parentFolderId": found["id"]} if found else {})


def _names(path: str) -> list[str]:
    return [name.strip() for name in path.split(SEPARATOR) if name.strip()]


def _child(state: State, name: str, parent: JSON | None, owner: JSON) -> JSON | None:
    for folder in FOLDERS.items(state).values():
        same_place = folder.get("parentFolderId") == (parent["id"] if parent else None)
        same_owner = folder.get("organizationId") == owner.get("organizationId")
        if same_place and same_owner and folder["name"].casefold() == name.casefold():
            return folder
    return None


def _add(state: State, fields: JSON) -> JSON:
    return ARTICLES.add(state, fields, _SETTABLE)


def _path(state: State, item: JSON) -> str:
    names: list[str] = []
    folder = FOLDERS.items(state).get(item.get("parentFolderId"))
    while folder is not None:
        names.insert(0, folder["name"])
        folder = FOLDERS.items(state).get(folder.get("parentFolderId"))
    return SEPARATOR.join(names)


def _article(state: State, item: JSON) -> JSON:
    return shown(item, _ARTICLE) | {"path": _path(state, item)}


def _folder(call: ApiCall, folder: JSON) -> JSON:
    inside: list[tuple[JSON, bool]] = [
        *((item, True) for item in FOLDERS.items(call.state).values()),
        *((item, False) for item in ARTICLES.items(call.state).values()),
    ]
    content: list[Any] = [
        given(item, "id", "name", "organizationId", "parentFolderId", "createTime", "updateTime")
        | {"folder": is_folder, "isFolder": is_folder}
        | {"archived": item["isArchived"], "isArchived": item["isArchived"]}
        for item, is_folder in inside
        if item.get("parentFolderId") == folder.get("id")
        and ("id" in folder or item.get("organizationId") == folder.get("organizationId"))
        and (call.query.get("includeArchived") or not item["isArchived"])
    ]
    return folder | {"content": content}
