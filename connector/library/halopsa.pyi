# Generated from the declarations by `make reference`: edit those instead of this file.
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, overload

from typing_extensions import NotRequired, TypedDict, Unpack

from connector.catalog.catalog import Catalog
from connector.connections.connection import Connection
from connector.library.results import Results
from connector.library.session import Session

Time = str | float | date
"""ISO 8601, epoch seconds or milliseconds, or a date or time of Python."""

class AddNote(TypedDict):
    ticket_id: int
    note: NotRequired[str]
    note_html: NotRequired[str]
    outcome: NotRequired[int | str]
    hidden_from_user: NotRequired[bool]
    hours: NotRequired[float]
    new_status_id: NotRequired[int]

class CloseTicket(TypedDict):
    ticket_id: int
    status: NotRequired[int | str]
    closure_note: NotRequired[str]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]

class CreateAsset(TypedDict):
    assettype_id: int
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    inventory_number: NotRequired[str]
    status_id: NotRequired[int]
    fields: NotRequired[Mapping[str, Any]]
    customfields: NotRequired[Mapping[str, Any]]
    user_ids: NotRequired[Sequence[int]]
    software: NotRequired[Sequence[Mapping[str, Any]]]
    notes: NotRequired[str]
    warranty_start: NotRequired[Time]
    warranty_end: NotRequired[Time]
    warranty_note: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    ninja_url: NotRequired[str]
    ninja_remote_url: NotRequired[str]
    dont_fire_automations: NotRequired[bool]
    validate_only: NotRequired[bool]
    if_missing: NotRequired[bool]

class CreateAssetField(TypedDict):
    name: str
    kind: NotRequired[str]
    validate: NotRequired[str]
    options: NotRequired[str]
    mandatory: NotRequired[bool]
    if_missing: NotRequired[bool]

class CreateAssetGroup(TypedDict):
    name: str
    if_missing: NotRequired[bool]

class CreateAssetType(TypedDict):
    name: str
    assetgroup_id: int
    key_field_id: NotRequired[int]
    field_ids: NotRequired[Sequence[int]]
    if_missing: NotRequired[bool]

class CreateClient(TypedDict):
    name: str
    toplevel_id: NotRequired[int]
    site_name: NotRequired[str]
    site_phone_number: NotRequired[str]
    contact_name: NotRequired[str]
    contact_email: NotRequired[str]
    reference: NotRequired[str]
    website: NotRequired[str]
    notes: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]
    if_missing: NotRequired[bool]

class CreateSite(TypedDict):
    name: str
    client_id: int
    phone_number: NotRequired[str]
    timezone: NotRequired[str]
    reference: NotRequired[str]
    notes: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]
    if_missing: NotRequired[bool]

class CreateTicket(TypedDict):
    summary: str
    details: NotRequired[str]
    details_html: NotRequired[str]
    tickettype_id: NotRequired[int]
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    user_id: NotRequired[int]
    status_id: NotRequired[int]
    priority_id: NotRequired[int]
    agent_id: NotRequired[int]
    team: NotRequired[str]
    category_1: NotRequired[str]
    category_2: NotRequired[str]
    category_3: NotRequired[str]
    category_4: NotRequired[str]
    impact: NotRequired[int]
    urgency: NotRequired[int]
    source: NotRequired[int]
    asset_ids: NotRequired[Sequence[int]]
    customfields: NotRequired[Mapping[str, Any]]
    parent_id: NotRequired[int]
    occurred_at: NotRequired[Time]
    ninja_alert_id: NotRequired[str]
    ninja_device_id: NotRequired[int]
    dont_apply_template: NotRequired[bool]
    dont_apply_rules: NotRequired[bool]
    dont_fire_automations: NotRequired[bool]
    validate_only: NotRequired[bool]

class CreateUser(TypedDict):
    name: NotRequired[str]
    first_name: NotRequired[str]
    surname: NotRequired[str]
    site_id: int
    email: NotRequired[str]
    login: NotRequired[str]
    job_title: NotRequired[str]
    phone_number: NotRequired[str]
    mobile_number: NotRequired[str]
    notes: NotRequired[str]
    send_welcome_email: NotRequired[bool]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]
    if_missing: NotRequired[bool]

class CreateWebhook(TypedDict):
    name: str
    url: str
    username: NotRequired[str]
    password: NotRequired[str]
    authentication_type: NotRequired[int]
    content_type: NotRequired[str]
    events: NotRequired[Sequence[Mapping[str, Any]]]
    active: NotRequired[bool]
    type: NotRequired[int]
    if_missing: NotRequired[bool]

class DeleteAsset(TypedDict):
    asset_id: int

class DeleteTicket(TypedDict):
    ticket_id: int
    reason: NotRequired[str]

class DeleteWebhook(TypedDict):
    webhook_id: str

class GetAsset(TypedDict):
    asset_id: int
    include_details: NotRequired[bool]

class GetAssetType(TypedDict):
    assettype_id: int
    include_details: NotRequired[bool]

class GetClient(TypedDict):
    client_id: int
    include_details: NotRequired[bool]

class GetInstanceInfo(TypedDict):
    pass

class GetIntegrationSettings(TypedDict):
    include_integration_settings: NotRequired[bool]
    module_id: NotRequired[int]

class GetMe(TypedDict):
    pass

class GetSite(TypedDict):
    site_id: int
    include_details: NotRequired[bool]

class GetTicket(TypedDict):
    ticket_id: int
    include_details: NotRequired[bool]

class GetUser(TypedDict):
    user_id: int
    include_details: NotRequired[bool]

class ListAssetFields(TypedDict):
    assettype_id: NotRequired[int]

class ListAssetGroups(TypedDict):
    pass

class ListAssetSoftware(TypedDict):
    asset_id: int

class ListAssetTypes(TypedDict):
    assetgroup_id: NotRequired[int]

class ListAssets(TypedDict):
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    assettype_id: NotRequired[int]
    user_id: NotRequired[int]
    ticket_id: NotRequired[int]
    inventory_number: NotRequired[str]
    search: NotRequired[str]
    include_fields: NotRequired[bool]
    include_inactive: NotRequired[bool]
    limit: NotRequired[int]

class ListCategories(TypedDict):
    category: NotRequired[int]

class ListClients(TypedDict):
    search: NotRequired[str]
    toplevel_id: NotRequired[int]
    include_inactive: NotRequired[bool]
    limit: NotRequired[int]

class ListCustomFields(TypedDict):
    type_id: NotRequired[int]
    include_values: NotRequired[bool]

class ListOutcomes(TypedDict):
    tickettype_id: NotRequired[int]
    show_hidden: NotRequired[bool]

class ListPriorities(TypedDict):
    sla_id: NotRequired[int]

class ListSites(TypedDict):
    client_id: NotRequired[int]
    search: NotRequired[str]
    include_inactive: NotRequired[bool]
    limit: NotRequired[int]

class ListSoftwareLicenses(TypedDict):
    client_id: NotRequired[int]
    limit: NotRequired[int]

class ListStatuses(TypedDict):
    tickettype_id: NotRequired[int]
    exclude_closed: NotRequired[bool]

class ListTicketActions(TypedDict):
    ticket_id: int
    exclude_system: NotRequired[bool]
    exclude_private: NotRequired[bool]
    include_html: NotRequired[bool]

class ListTicketTypes(TypedDict):
    client_id: NotRequired[int]
    show_inactive: NotRequired[bool]

class ListTickets(TypedDict):
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    user_id: NotRequired[int]
    agent_id: NotRequired[int]
    status_id: NotRequired[int]
    tickettype_id: NotRequired[int]
    asset_id: NotRequired[int]
    ticket_ids: NotRequired[str]
    open_only: NotRequired[bool]
    closed_only: NotRequired[bool]
    deleted: NotRequired[bool]
    alert_type: NotRequired[str]
    search: NotRequired[str]
    date_field: NotRequired[str]
    start_date: NotRequired[Time]
    end_date: NotRequired[Time]
    order: NotRequired[str]
    order_descending: NotRequired[bool]
    limit: NotRequired[int]

class ListTopLevels(TypedDict):
    search: NotRequired[str]

class ListUsers(TypedDict):
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    search: NotRequired[str]
    include_inactive: NotRequired[bool]
    limit: NotRequired[int]

class ListWebhooks(TypedDict):
    pass

class UpdateAsset(TypedDict):
    asset_id: int
    fields: NotRequired[Mapping[str, Any]]
    customfields: NotRequired[Mapping[str, Any]]
    user_ids: NotRequired[Sequence[int]]
    inventory_number: NotRequired[str]
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    status_id: NotRequired[int]
    inactive: NotRequired[bool]
    software: NotRequired[Sequence[Mapping[str, Any]]]
    notes: NotRequired[str]
    warranty_start: NotRequired[Time]
    warranty_end: NotRequired[Time]
    warranty_note: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    ninja_url: NotRequired[str]
    ninja_remote_url: NotRequired[str]
    assettype_id: NotRequired[int]
    current: NotRequired[Mapping[str, Any]]
    only_given: NotRequired[bool]
    dont_update_type: NotRequired[bool]
    dont_fire_automations: NotRequired[bool]
    validate_only: NotRequired[bool]

class UpdateAssetType(TypedDict):
    assettype_id: int
    name: NotRequired[str]
    assetgroup_id: NotRequired[int]
    key_field_id: NotRequired[int]
    add_field_ids: NotRequired[Sequence[int]]

class UpdateClient(TypedDict):
    client_id: int
    name: NotRequired[str]
    toplevel_id: NotRequired[int]
    inactive: NotRequired[bool]
    main_site_id: NotRequired[int]
    reference: NotRequired[str]
    website: NotRequired[str]
    notes: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]

class UpdateSite(TypedDict):
    site_id: int
    name: NotRequired[str]
    inactive: NotRequired[bool]
    phone_number: NotRequired[str]
    timezone: NotRequired[str]
    reference: NotRequired[str]
    notes: NotRequired[str]
    ninjarmm_id: NotRequired[int]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]

class UpdateTicket(TypedDict):
    ticket_id: int
    summary: NotRequired[str]
    details: NotRequired[str]
    details_html: NotRequired[str]
    tickettype_id: NotRequired[int]
    client_id: NotRequired[int]
    site_id: NotRequired[int]
    user_id: NotRequired[int]
    status_id: NotRequired[int]
    priority_id: NotRequired[int]
    agent_id: NotRequired[int]
    team: NotRequired[str]
    category_1: NotRequired[str]
    category_2: NotRequired[str]
    category_3: NotRequired[str]
    category_4: NotRequired[str]
    impact: NotRequired[int]
    urgency: NotRequired[int]
    asset_ids: NotRequired[Sequence[int]]
    customfields: NotRequired[Mapping[str, Any]]
    force_reassign: NotRequired[bool]
    dont_apply_rules: NotRequired[bool]
    dont_fire_automations: NotRequired[bool]
    validate_only: NotRequired[bool]

class UpdateUser(TypedDict):
    user_id: int
    name: NotRequired[str]
    first_name: NotRequired[str]
    surname: NotRequired[str]
    site_id: NotRequired[int]
    email: NotRequired[str]
    login: NotRequired[str]
    job_title: NotRequired[str]
    phone_number: NotRequired[str]
    mobile_number: NotRequired[str]
    inactive: NotRequired[bool]
    notes: NotRequired[str]
    customfields: NotRequired[Mapping[str, Any]]
    dont_fire_automations: NotRequired[bool]

class UpdateWebhook(TypedDict):
    webhook_id: str
    name: NotRequired[str]
    url: NotRequired[str]
    username: NotRequired[str]
    password: NotRequired[str]
    authentication_type: NotRequired[int]
    events: NotRequired[Sequence[Mapping[str, Any]]]
    active: NotRequired[bool]

HaloPSAAction = Literal["add_note", "close_ticket", "create_asset", "create_asset_field", "create_asset_group", "create_asset_type", "create_client", "create_site", "create_ticket", "create_user", "create_webhook", "delete_asset", "delete_ticket", "delete_webhook", "get_asset", "get_asset_type", "get_client", "get_instance_info", "get_integration_settings", "get_me", "get_site", "get_ticket", "get_user", "list_asset_fields", "list_asset_groups", "list_asset_software", "list_asset_types", "list_assets", "list_categories", "list_clients", "list_custom_fields", "list_outcomes", "list_priorities", "list_sites", "list_software_licenses", "list_statuses", "list_ticket_actions", "list_ticket_types", "list_tickets", "list_top_levels", "list_users", "list_webhooks", "update_asset", "update_asset_type", "update_client", "update_site", "update_ticket", "update_user", "update_webhook"]

class HaloPSA(Session):
    def __init__(
        self,
        connection: str | Path | Connection | None = None,
        *,
        catalog: Catalog | None = ...,
        delay_ms: float | Literal["auto"] | None = ...,
        min_delay_ms: float | None = ...,
        read_only: bool = ...,
        audit: str | Path | None = ...,
        uploads: str | Path = ...,
        files: str | Path | None = ...,
        reveal_secrets: bool = ...,
        timezone: str = ...,
        times: Literal["epoch", "iso"] = ...,
        with_names: str = ...,
        region: str = ...,
        base_url: str = ...,
        client_id: str = ...,
        client_secret: str = ...,
        access_token: str = ...,
        refresh_token: str = ...,
        scope: str = ...,
        timeout_s: float = ...,
        total_timeout_s: float = ...,
        largest_body_mb: float = ...,
        verify_tls: bool = ...,
        ca_file: str = ...,
        proxy: str = ...,
        health_checks_off: Sequence[str] = ...,
        allow_short_secrets: bool = ...,
        state: str = ...,
        tenant: str = ...,
    ) -> None: ...
    @overload  # type: ignore[override]
    def call(self, action: Literal["add_note"], /, *, confirm: bool = ..., **inputs: Unpack[AddNote]) -> Any: ...
    @overload
    def call(self, action: Literal["close_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[CloseTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAsset]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset_field"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAssetField]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset_group"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAssetGroup]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset_type"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAssetType]) -> Any: ...
    @overload
    def call(self, action: Literal["create_client"], /, *, confirm: bool = ..., **inputs: Unpack[CreateClient]) -> Any: ...
    @overload
    def call(self, action: Literal["create_site"], /, *, confirm: bool = ..., **inputs: Unpack[CreateSite]) -> Any: ...
    @overload
    def call(self, action: Literal["create_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[CreateTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["create_user"], /, *, confirm: bool = ..., **inputs: Unpack[CreateUser]) -> Any: ...
    @overload
    def call(self, action: Literal["create_webhook"], /, *, confirm: bool = ..., **inputs: Unpack[CreateWebhook]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_asset"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteAsset]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_ticket"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_webhook"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteWebhook]) -> Any: ...
    @overload
    def call(self, action: Literal["get_asset"], /, *, confirm: bool = ..., **inputs: Unpack[GetAsset]) -> Any: ...
    @overload
    def call(self, action: Literal["get_asset_type"], /, *, confirm: bool = ..., **inputs: Unpack[GetAssetType]) -> Any: ...
    @overload
    def call(self, action: Literal["get_client"], /, *, confirm: bool = ..., **inputs: Unpack[GetClient]) -> Any: ...
    @overload
    def call(self, action: Literal["get_instance_info"], /, *, confirm: bool = ..., **inputs: Unpack[GetInstanceInfo]) -> Any: ...
    @overload
    def call(self, action: Literal["get_integration_settings"], /, *, confirm: bool = ..., **inputs: Unpack[GetIntegrationSettings]) -> Any: ...
    @overload
    def call(self, action: Literal["get_me"], /, *, confirm: bool = ..., **inputs: Unpack[GetMe]) -> Any: ...
    @overload
    def call(self, action: Literal["get_site"], /, *, confirm: bool = ..., **inputs: Unpack[GetSite]) -> Any: ...
    @overload
    def call(self, action: Literal["get_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[GetTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["get_user"], /, *, confirm: bool = ..., **inputs: Unpack[GetUser]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetFields]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetGroups]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_software"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetSoftware]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_types"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetTypes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_assets"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssets]) -> Any: ...
    @overload
    def call(self, action: Literal["list_categories"], /, *, confirm: bool = ..., **inputs: Unpack[ListCategories]) -> Any: ...
    @overload
    def call(self, action: Literal["list_clients"], /, *, confirm: bool = ..., **inputs: Unpack[ListClients]) -> Any: ...
    @overload
    def call(self, action: Literal["list_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["list_outcomes"], /, *, confirm: bool = ..., **inputs: Unpack[ListOutcomes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_priorities"], /, *, confirm: bool = ..., **inputs: Unpack[ListPriorities]) -> Any: ...
    @overload
    def call(self, action: Literal["list_sites"], /, *, confirm: bool = ..., **inputs: Unpack[ListSites]) -> Any: ...
    @overload
    def call(self, action: Literal["list_software_licenses"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareLicenses]) -> Any: ...
    @overload
    def call(self, action: Literal["list_statuses"], /, *, confirm: bool = ..., **inputs: Unpack[ListStatuses]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_actions"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketActions]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_types"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketTypes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_tickets"], /, *, confirm: bool = ..., **inputs: Unpack[ListTickets]) -> Any: ...
    @overload
    def call(self, action: Literal["list_top_levels"], /, *, confirm: bool = ..., **inputs: Unpack[ListTopLevels]) -> Any: ...
    @overload
    def call(self, action: Literal["list_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListUsers]) -> Any: ...
    @overload
    def call(self, action: Literal["list_webhooks"], /, *, confirm: bool = ..., **inputs: Unpack[ListWebhooks]) -> Any: ...
    @overload
    def call(self, action: Literal["update_asset"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateAsset]) -> Any: ...
    @overload
    def call(self, action: Literal["update_asset_type"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateAssetType]) -> Any: ...
    @overload
    def call(self, action: Literal["update_client"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateClient]) -> Any: ...
    @overload
    def call(self, action: Literal["update_site"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateSite]) -> Any: ...
    @overload
    def call(self, action: Literal["update_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["update_user"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateUser]) -> Any: ...
    @overload
    def call(self, action: Literal["update_webhook"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateWebhook]) -> Any: ...
    @overload  # type: ignore[override]
    def each(self, action: Literal["list_asset_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetFields]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_asset_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetGroups]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_asset_software"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetSoftware]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_asset_types"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetTypes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_assets"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssets]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_categories"], /, *, confirm: bool = ..., **inputs: Unpack[ListCategories]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_clients"], /, *, confirm: bool = ..., **inputs: Unpack[ListClients]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFields]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_outcomes"], /, *, confirm: bool = ..., **inputs: Unpack[ListOutcomes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_priorities"], /, *, confirm: bool = ..., **inputs: Unpack[ListPriorities]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_sites"], /, *, confirm: bool = ..., **inputs: Unpack[ListSites]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_software_licenses"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareLicenses]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_statuses"], /, *, confirm: bool = ..., **inputs: Unpack[ListStatuses]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_actions"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketActions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_types"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketTypes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_tickets"], /, *, confirm: bool = ..., **inputs: Unpack[ListTickets]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_top_levels"], /, *, confirm: bool = ..., **inputs: Unpack[ListTopLevels]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListUsers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_webhooks"], /, *, confirm: bool = ..., **inputs: Unpack[ListWebhooks]) -> Iterator[Any]: ...
    @overload  # type: ignore[override]
    def preview(self, action: Literal["add_note"], /, **inputs: Unpack[AddNote]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["close_ticket"], /, **inputs: Unpack[CloseTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset"], /, **inputs: Unpack[CreateAsset]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset_field"], /, **inputs: Unpack[CreateAssetField]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset_group"], /, **inputs: Unpack[CreateAssetGroup]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset_type"], /, **inputs: Unpack[CreateAssetType]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_client"], /, **inputs: Unpack[CreateClient]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_site"], /, **inputs: Unpack[CreateSite]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_ticket"], /, **inputs: Unpack[CreateTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_user"], /, **inputs: Unpack[CreateUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_webhook"], /, **inputs: Unpack[CreateWebhook]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_asset"], /, **inputs: Unpack[DeleteAsset]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_ticket"], /, **inputs: Unpack[DeleteTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_webhook"], /, **inputs: Unpack[DeleteWebhook]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_asset"], /, **inputs: Unpack[GetAsset]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_asset_type"], /, **inputs: Unpack[GetAssetType]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_client"], /, **inputs: Unpack[GetClient]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_instance_info"], /, **inputs: Unpack[GetInstanceInfo]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_integration_settings"], /, **inputs: Unpack[GetIntegrationSettings]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_me"], /, **inputs: Unpack[GetMe]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_site"], /, **inputs: Unpack[GetSite]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_ticket"], /, **inputs: Unpack[GetTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_user"], /, **inputs: Unpack[GetUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_fields"], /, **inputs: Unpack[ListAssetFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_groups"], /, **inputs: Unpack[ListAssetGroups]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_software"], /, **inputs: Unpack[ListAssetSoftware]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_types"], /, **inputs: Unpack[ListAssetTypes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_assets"], /, **inputs: Unpack[ListAssets]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_categories"], /, **inputs: Unpack[ListCategories]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_clients"], /, **inputs: Unpack[ListClients]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_custom_fields"], /, **inputs: Unpack[ListCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_outcomes"], /, **inputs: Unpack[ListOutcomes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_priorities"], /, **inputs: Unpack[ListPriorities]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_sites"], /, **inputs: Unpack[ListSites]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_software_licenses"], /, **inputs: Unpack[ListSoftwareLicenses]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_statuses"], /, **inputs: Unpack[ListStatuses]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_actions"], /, **inputs: Unpack[ListTicketActions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_types"], /, **inputs: Unpack[ListTicketTypes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_tickets"], /, **inputs: Unpack[ListTickets]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_top_levels"], /, **inputs: Unpack[ListTopLevels]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_users"], /, **inputs: Unpack[ListUsers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_webhooks"], /, **inputs: Unpack[ListWebhooks]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_asset"], /, **inputs: Unpack[UpdateAsset]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_asset_type"], /, **inputs: Unpack[UpdateAssetType]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_client"], /, **inputs: Unpack[UpdateClient]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_site"], /, **inputs: Unpack[UpdateSite]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_ticket"], /, **inputs: Unpack[UpdateTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_user"], /, **inputs: Unpack[UpdateUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_webhook"], /, **inputs: Unpack[UpdateWebhook]) -> dict[str, Any]: ...
    @overload  # type: ignore[override]
    def run(
        self, action: Literal["delete_asset", "delete_ticket", "delete_webhook"], rows: Iterable[Mapping[str, Any]], *,
        templates: Mapping[str, Any] | None = None, concurrency: int = 1,
        results: Literal["one", "each"] = "one", keep_row: bool = False, confirm: Literal[True],
    ) -> Results: ...
    @overload
    def run(
        self, action: Literal["add_note", "close_ticket", "create_asset", "create_asset_field", "create_asset_group", "create_asset_type", "create_client", "create_site", "create_ticket", "create_user", "create_webhook", "get_asset", "get_asset_type", "get_client", "get_instance_info", "get_integration_settings", "get_me", "get_site", "get_ticket", "get_user", "list_asset_fields", "list_asset_groups", "list_asset_software", "list_asset_types", "list_assets", "list_categories", "list_clients", "list_custom_fields", "list_outcomes", "list_priorities", "list_sites", "list_software_licenses", "list_statuses", "list_ticket_actions", "list_ticket_types", "list_tickets", "list_top_levels", "list_users", "list_webhooks", "update_asset", "update_asset_type", "update_client", "update_site", "update_ticket", "update_user", "update_webhook"], rows: Iterable[Mapping[str, Any]], *,
        templates: Mapping[str, Any] | None = None, concurrency: int = 1,
        results: Literal["one", "each"] = "one", keep_row: bool = False, confirm: bool = False,
    ) -> Results: ...
    def describe(self, action: HaloPSAAction, *, names: bool = True) -> dict[str, Any]: ...  # type: ignore[override]
