"""Endpoints for billing: accounts, agreements, invoices, products, and ticket products.

The API document declares these bodies as objects without members, so they are stored and returned unchanged.
Only the members that other operations refer to are interpreted. Errors have a format that only billing uses.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from connector.sandbox.endpoints import EndpointHandler
from connector.sandbox.errors import HttpError
from connector.sandbox.messages import ServerResponse
from connector.sandbox.ninjaone.api.collections import Collection
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operation
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON


def billing_error(status: int, code: str, message: str) -> HttpError:
    """Return an error in the format that only the billing operations use."""
    return HttpError(status, {"errorCode": code, "message": message})


def _missing(name: str) -> HttpError:
    return billing_error(404, f"{name}_not_found", f"The {name.replace('_', ' ')} does not exist")


def _seeded(kind: str, number: int) -> JSON:
    common: JSON = {"id": number, "name": f"Example {kind} {number}"}
    common |= {"createTime": EPOCH, "updateTime": EPOCH}
    if kind == "invoice":
        common |= {"agreementId": 1 + number % 3, "status": "PENDING", "archived": False}
    elif kind == "agreement":
        common |= {"clientId": 1 + number % 4, "active": True}
    elif kind == "product":
        common |= {"price": 1.5 + number, "active": True}
    elif kind == "ticket_product":
        common |= {"ticketId": 1000 + number, "productId": 1, "quantity": number, "price": 2.5}
    elif kind == "time_entry":
        common |= {"ticketId": 1000 + number, "timeTracked": 900 * number}
    else:
        common |= {"code": f"44{number:02d}"}
    return common


def _collection(name: str) -> Collection:
    return Collection(name, seed=partial(_seeded, name), missing=_missing)


ACCOUNTS, AGREEMENTS, INVOICES = _collection("account"), _collection("agreement"), _collection("invoice")
PRODUCTS, TICKET_PRODUCTS = _collection("product"), _collection("ticket_product")
TIME_ENTRIES = _collection("time_entry")

ACCOUNTS.serve(
    list="getBillingAccounts",
    create="createBillingAccount",
    get="getBillingAccountById",
    update="updateBillingAccount",
    delete="deleteBillingAccount",
)
AGREEMENTS.serve(
    list="getBillingAgreements",
    create="createBillingAgreement",
    get="getBillingAgreementById",
    update="updateBillingAgreement",
)
PRODUCTS.serve(
    list="getBillingProducts",
    create="createBillingProduct",
    get="getBillingProductById",
    update="updateBillingProduct",
)
INVOICES.serve(
    list="getBillingInvoices",
    get="getBillingInvoiceById",
    update=("updateBillingInvoice", "updateBillingInvoiceNote"),
)
TICKET_PRODUCTS.serve(update="updateBillingTicketProduct")
TIME_ENTRIES.serve(update="updateBillingTicketTimeEntry")


@operation("createBillingInvoice")
def create_invoice(call: ApiCall) -> JSON:
    """Create an invoice of an agreement."""
    if call.body.get("agreementId") is None:
        raise billing_error(400, "agreement_is_required", "An agreement is required")
    AGREEMENTS.find(call.state, call.body["agreementId"])
    return INVOICES.add(call.state, {"status": "PENDING", "archived": False, **call.body})


def _activate(collection: Collection, active: bool, call: ApiCall, id: int) -> JSON:
    item = collection.find(call.state, id)
    item |= {"active": active, "updateTime": time.time()}
    return item


def _invoices(changes: JSON, call: ApiCall) -> list[JSON]:
    """Change the invoices whose ids are in a list of the body; the list can have any name."""
    found = [INVOICES.find(call.state, number) for number in _ids(call.body)]
    for invoice in found:
        invoice |= {**changes, "updateTime": time.time()}
    return found


def _ids(body: JSON) -> list[Any]:
    listed = next((value for value in body.values() if isinstance(value, list)), None)
    if listed is None:
        raise billing_error(400, "ids_are_required", "The ids are required")
    return listed


@operation("exportBillingInvoices")
def export(call: ApiCall) -> ServerResponse:
    """Return the invoices as CSV."""
    rows = [f"{invoice['id']},{invoice.get('status', '')}" for invoice in _invoices({}, call)]
    headers = {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="invoices.csv"'}
    return ServerResponse(200, headers, "\n".join(["id,status", *rows, ""]).encode())


@operation("createAdHocBillingTicketProduct")
def add_ad_hoc_product(call: ApiCall) -> JSON:
    """Add a billing entry to a ticket."""
    return _book(call, call.body)


@operation("createCatalogBillingTicketProduct")
def add_catalog_product(call: ApiCall) -> JSON:
    """Add a product to a ticket."""
    if call.body.get("productId") is not None:
        PRODUCTS.find(call.state, call.body["productId"])
    return _book(call, call.body)


def _book(call: ApiCall, body: JSON) -> JSON:
    if body.get("ticketId") is not None and body["ticketId"] not in call.state.tickets:
        raise _missing("ticket")
    return TICKET_PRODUCTS.add(call.state, body)


@operation("getBillingTicketProductsByTicketId")
def get_ticket_products(call: ApiCall, id: int) -> list[JSON]:
    """Return the products on a ticket."""
    return [item for item in TICKET_PRODUCTS.items(call.state).values() if item.get("ticketId") == id]


@operation("deleteBillingTicketProducts")
def delete_ticket_products(call: ApiCall) -> None:
    """Delete the ticket products whose ids are in a list of the body, all or none."""
    for item in [TICKET_PRODUCTS.find(call.state, number) for number in _ids(call.body)]:
        TICKET_PRODUCTS.items(call.state).pop(item["id"], None)


_CHANGES: dict[str, EndpointHandler] = {
    "activateBillingProduct": partial(_activate, PRODUCTS, True),
    "deactivateBillingProduct": partial(_activate, PRODUCTS, False),
    "deactivateBillingAgreement": partial(_activate, AGREEMENTS, False),
    "approveBillingInvoices": partial(_invoices, {"status": "APPROVED"}),
    "archiveBillingInvoices": partial(_invoices, {"archived": True}),
    "unarchiveBillingInvoices": partial(_invoices, {"archived": False}),
}
for _name, _handle in _CHANGES.items():
    ENDPOINTS.add(endpoint_of(_name, _handle))
