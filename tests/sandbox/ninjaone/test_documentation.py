"""Documents, checklists, the knowledge base, and related items."""

from __future__ import annotations

import pytest

FILE = ("plan.txt", b"first floor", "text/plain")
KB = "/v2/knowledgebase"


def test_document_fields_are_merged(account):
    account.sandbox.reset()
    path = "/v2/organization/1/document/1"
    changed = account.do("POST", path, {"fields": {"howTo": {"html": "<p>So</p>"}}})
    assert [field["name"] for field in changed["updatedFields"]] == ["howTo"]
    document = account.get("/v2/organization/1/documents")[0]
    assert [field["name"] for field in document["fields"]] == ["keyHolder", "howTo"]
    account.do("POST", path, {"fields": {"keyHolder": None}})
    assert [field["name"] for field in account.get("/v2/organization/1/documents")[0]["fields"]] == ["howTo"]


def test_a_templates_fields_get_ids(account):
    account.sandbox.reset()
    body = {"name": "Line", "fields": [{"fieldLabel": "Number", "fieldName": "number"}]}
    assert account.do("POST", "/v2/document-templates", body)["fields"][0]["fieldId"]


def test_checklists_count_their_tasks(account):
    account.sandbox.reset()
    tasks = [{"position": 1, "name": "A"}, {"position": 2, "name": "B", "completed": True}]
    body = {"name": "New", "organizationId": 2, "assignedToUserId": 2, "tasks": tasks}
    (made,) = account.do("POST", "/v2/organization/checklists", [body])
    assert (made["totalTaskCount"], made["completedTaskCount"], made["completed"]) == (2, 1, False)
    assert made["assignedTo"]["id"] == 2
    assert account.get("/v2/organization/checklists", assignedToUserId=2) == [made]
    done = [{"id": task["id"], "name": task["name"], "completed": True} for task in made["tasks"]]
    body = {"checklistId": made["id"], "name": "New", "tasks": done}
    (changed,) = account.do("PUT", "/v2/organization/checklists", [body])
    assert changed["completed"] is True
    assert [task["id"] for task in changed["tasks"]] == [task["id"] for task in made["tasks"]]


def test_checklists_from_templates_and_back(account):
    account.sandbox.reset()
    template = account.get("/v2/checklist/templates")[0]
    (made,) = account.do("POST", "/v2/organization/2/checklists-from-templates", [template["id"]])
    assert (made["name"], made["organizationId"], made["totalTaskCount"]) == (template["name"], 2, 3)
    before = len(account.get("/v2/checklist/templates"))
    account.do("POST", "/v2/organization/checklists/promote", [made["id"]])
    renamed = [{"id": made["id"], "name": "Better"}]
    account.do("POST", "/v2/organization/checklists/promote-with-name", renamed)
    found = account.get("/v2/checklist/templates")[before:]
    assert [entry["name"] for entry in found] == [template["name"], "Better"]
    assert [task["name"] for task in found[1]["tasks"]] == ["Step 1", "Step 2", "Step 3"]


def test_article_paths_make_folders(account):
    account.sandbox.reset()
    body = {"name": "Jam", "destinationFolderPath": "Network|Printers|Floor 2", "content": {"text": "x"}}
    (made,) = account.do("POST", f"{KB}/articles", [body])
    assert made["path"] == "Network|Printers|Floor 2"
    folder = account.get(f"{KB}/folder", folderPath="Network|Printers")
    assert folder["id"] == 5
    assert [item["name"] for item in folder["content"]] == ["Floor 2"]
    inner = account.get(f"{KB}/folder/{made['parentFolderId']}")
    assert [(item["name"], item["isFolder"]) for item in inner["content"]] == [("Jam", False)]
    account.fails("GET", f"{KB}/folder", 404, params={"folderPath": "Network|Nothing"})
    (again,) = account.do("POST", f"{KB}/articles", [body])
    assert again["parentFolderId"] == made["parentFolderId"]


def test_the_top_of_the_knowledge_base(account):
    account.sandbox.reset()
    names = {item["name"] for item in account.get(f"{KB}/folder")["content"]}
    assert {"Network", "Manuals"} <= names
    assert "Printers" not in names
    own = account.get(f"{KB}/folder", organizationId=3)["content"]
    assert [item["organizationId"] for item in own] == [3] * len(own)


def test_folders_are_archived_moved_and_deleted(account):
    account.sandbox.reset()
    account.do("POST", f"{KB}/folders/archive", [2])
    names = {item["name"] for item in account.get(f"{KB}/folder")["content"]}
    assert "Manuals" not in names
    account.do("POST", f"{KB}/folders/restore", [2])
    account.do("PATCH", f"{KB}/folders/move", {"folderIds": [5], "destinationFolderId": 2})
    assert account.get(f"{KB}/folder", folderPath="Manuals|Printers")["id"] == 5
    account.fails("PATCH", f"{KB}/folders/move", 400, json={"folderIds": [2], "destinationFolderId": 5})
    account.do("PATCH", f"{KB}/folders/move", {"documentIds": [2], "destinationOrganizationId": 1})
    assert 2 in [item["id"] for item in account.get(f"{KB}/organization/articles", organizationIds="1")]
    inside = [item["id"] for item in account.get(f"{KB}/folder/2")["content"] if not item["isFolder"]]
    account.do("POST", f"{KB}/folders/delete", [2])
    account.fails("GET", f"{KB}/folder/5", 404)
    assert not set(inside) & {item["id"] for item in account.get(f"{KB}/global/articles")}


def test_uploaded_articles_come_back(account):
    account.sandbox.reset()
    parts = [
        ("files", FILE),
        ("files", ("b.bin", b"\x00\xff", "application/octet-stream")),
        ("organizationId", (None, "2")),
        ("folderPath", (None, "Uploads")),
    ]
    made = account.send("POST", f"{KB}/articles/upload", files=parts).json()
    assert [entry["name"] for entry in made] == ["plan.txt", "b.bin"]
    assert {entry["organizationId"] for entry in made} == {2}
    response = account.send("GET", f"{KB}/article/{made[1]['id']}/download")
    assert response.content == b"\x00\xff"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="b.bin"'
    urls = account.get(f"{KB}/article/{made[0]['id']}/signed-urls")
    assert list(urls) == [made[0]["attachments"][0]["metadata"]["contentId"]]
    account.fails("POST", f"{KB}/articles/upload", 400, files={"organizationId": (None, "x"), "files": FILE})
    account.fails("POST", f"{KB}/articles/upload", 404, files={"folderId": (None, "99"), "files": FILE})


def test_a_written_article_is_downloaded_as_a_page(account):
    account.sandbox.reset()
    response = account.send("GET", f"{KB}/article/1/download")
    assert response.headers["Content-Type"] == "text/html"
    assert response.text == "<p>Example article 1</p>"


def test_related_items(account):
    account.sandbox.reset()
    host = "/v2/related-items/entity/LOCATION/2"
    attached = account.send("POST", f"{host}/attachment", files={"file": FILE}).json()
    secret = account.do("POST", f"{host}/secure", {"name": "Switch", "username": "admin", "password": "x"})
    assert "password" not in str(secret)
    account.do("POST", f"{host}/relations", [{"relEntityType": "NODE", "relEntityId": 9}])
    path = "/v2/related-items/with-entity/LOCATION/2"
    assert [item["relEntityType"] for item in account.get(path)] == ["ATTACHMENT", "SECURE", "NODE"]
    assert account.send("GET", f"/v2/related-items/{attached['id']}/attachment/download").content == FILE[1]
    assert list(account.get(f"{path}/attachments/signed-urls")) == [attached["value"]["contentId"]]
    hosts = account.get("/v2/related-items/with-related-entity/NODE/9")
    assert "LOCATION" in {item["entityType"] for item in hosts}
    both = "/v2/related-items/with-entity/NODE/9"
    assert len(account.get(both, scope="HOSTED_BY")) == 1
    assert len(account.get(both, scope="HOSTING")) == 1
    assert len(account.get(both)) == 2
    account.do("DELETE", "/v2/related-items/LOCATION/2")
    assert account.get(path) == []
    account.fails("GET", f"/v2/related-items/{secret['id']}/attachment/download", 404)
    account.fails("GET", "/v2/related-items/1/attachment/download", 404)


def test_temporary_attachments(account):
    response = account.send("POST", "/v2/attachments/temp/upload?entityType=TICKET", files={"files": FILE})
    (entry,) = response.json()
    assert (entry["name"], entry["size"], entry["mimeType"]) == ("plan.txt", "11", "text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "organization/checklist/1",
        "organization/document/1",
        "knowledgebase/article/1",
        "custom-fields/entity-type/NODE/1",
        "custom-fields/entity-type/END_USER/5",
    ],
)
def test_signed_urls_are_a_map(account, path):
    account.sandbox.reset()
    ((content_id, url),) = account.get(f"/v2/{path}/signed-urls").items()
    assert url == f"https://files.example.com/{content_id}?signature=example"
    account.fails("GET", f"/v2/{path.rpartition('/')[0]}/999/signed-urls", 404)
