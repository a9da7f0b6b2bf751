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

class ActivateBillingProduct(TypedDict):
    product_id: int

class AddRoleMembers(TypedDict):
    role_id: int | str
    user_ids: Sequence[int | str]

class AddTicketComment(TypedDict):
    ticket_id: int
    public: bool
    body: NotRequired[str]
    html_body: NotRequired[str]
    time_tracked: NotRequired[int]
    duplicate_in_incidents: NotRequired[bool]
    files: NotRequired[Sequence[str | Path]]

class ApplyOsPatches(TypedDict):
    device_id: int | str

class ApplySoftwarePatches(TypedDict):
    device_id: int | str

class ApproveBillingInvoices(TypedDict):
    fields: Mapping[str, Any]

class ApproveDevices(TypedDict):
    mode: Literal["APPROVE", "REJECT"]
    devices: Sequence[int | str]

class ArchiveArticles(TypedDict):
    article_ids: Sequence[int]

class ArchiveBillingInvoices(TypedDict):
    fields: Mapping[str, Any]

class ArchiveChecklistTemplates(TypedDict):
    checklist_template_ids: Sequence[int]

class ArchiveChecklists(TypedDict):
    checklist_ids: Sequence[int]

class ArchiveDocument(TypedDict):
    document_id: int

class ArchiveDocumentTemplate(TypedDict):
    document_template_id: int

class ArchiveDocumentTemplates(TypedDict):
    document_template_ids: Sequence[int]

class ArchiveDocuments(TypedDict):
    document_ids: Sequence[int]

class ArchiveFolders(TypedDict):
    folder_ids: Sequence[int]

class AssignOrganizationPolicies(TypedDict):
    organization_id: int | str
    policies: Sequence[Mapping[str, Any]]

class AttachFileToEntity(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int
    file: str | Path

class CancelMaintenance(TypedDict):
    device_id: int | str

class ConfigureWebhook(TypedDict):
    url: str
    activities: Mapping[str, Any]
    expand: NotRequired[Sequence[str]]
    headers: NotRequired[Sequence[Mapping[str, Any]]]
    organization_ids: NotRequired[Sequence[int | str]]

class ConfigureWindowsService(TypedDict):
    device_id: int | str
    service_id: str
    start_type: NotRequired[Literal["AUTO_START", "AUTO_START_DELAYED", "BOOT_START", "DEMAND_START", "DISABLED", "SYSTEM_START"]]
    user_name: NotRequired[str]

class ControlWindowsService(TypedDict):
    device_id: int | str
    service_id: str
    action: Literal["START", "PAUSE", "STOP", "RESTART"]

class CreateAdHocTicketProduct(TypedDict):
    fields: Mapping[str, Any]

class CreateArticles(TypedDict):
    articles: Sequence[Mapping[str, Any]]

class CreateAssetRelationship(TypedDict):
    fields: Mapping[str, Any]

class CreateAssetRelationshipType(TypedDict):
    fields: Mapping[str, Any]

class CreateBillingAccount(TypedDict):
    fields: Mapping[str, Any]

class CreateBillingAgreement(TypedDict):
    fields: Mapping[str, Any]

class CreateBillingInvoice(TypedDict):
    fields: Mapping[str, Any]

class CreateBillingProduct(TypedDict):
    fields: Mapping[str, Any]

class CreateCatalogTicketProduct(TypedDict):
    fields: Mapping[str, Any]

class CreateChecklistTemplates(TypedDict):
    templates: Sequence[Mapping[str, Any]]

class CreateChecklists(TypedDict):
    checklists: Sequence[Mapping[str, Any]]

class CreateChecklistsFromTemplates(TypedDict):
    organization_id: int | str
    checklist_template_ids: Sequence[int]

class CreateContact(TypedDict):
    organization_id: int | str
    first_name: str
    last_name: str
    email: NotRequired[str]
    phone: NotRequired[str]
    job_title: NotRequired[str]

class CreateCustomFieldCondition(TypedDict):
    policy_id: int | str
    display_name: NotRequired[str]
    match_all: NotRequired[Sequence[Mapping[str, Any]]]
    match_any: NotRequired[Sequence[Mapping[str, Any]]]
    severity: NotRequired[Literal["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"]]
    priority: NotRequired[Literal["NONE", "LOW", "MEDIUM", "HIGH"]]
    notification_action: NotRequired[Literal["NONE", "SEND"]]
    channels: NotRequired[Sequence[int]]
    notify_on_reset: NotRequired[bool]
    reset_threshold: NotRequired[int]
    scripts: NotRequired[Sequence[Mapping[str, Any]]]
    enabled: NotRequired[bool]

class CreateCustomFieldDefinition(TypedDict):
    label: str
    field_name: str
    type: Literal["DROPDOWN", "MULTI_SELECT", "CHECKBOX", "TEXT", "TEXT_MULTILINE", "TEXT_ENCRYPTED", "NUMERIC", "DECIMAL", "DATE", "DATE_TIME", "TIME", "ATTACHMENT", "NODE_DROPDOWN", "NODE_MULTI_SELECT", "CLIENT_DROPDOWN", "CLIENT_MULTI_SELECT", "CLIENT_LOCATION_DROPDOWN", "CLIENT_LOCATION_MULTI_SELECT", "CLIENT_DOCUMENT_DROPDOWN", "CLIENT_DOCUMENT_MULTI_SELECT", "EMAIL", "PHONE", "IP_ADDRESS", "WYSIWYG", "URL", "MONETARY", "IDENTIFIER", "TOTP"]
    definition_scope: NotRequired[Sequence[Literal["NODE", "END_USER", "LOCATION", "ORGANIZATION"]]]
    description: NotRequired[str]
    content: NotRequired[Mapping[str, Any]]
    default_value: NotRequired[str]
    technician_permission: NotRequired[Literal["NONE", "EDITABLE", "READ_ONLY"]]
    script_permission: NotRequired[Literal["NONE", "READ_ONLY", "WRITE_ONLY", "READ_WRITE"]]
    api_permission: NotRequired[Literal["NONE", "READ_ONLY", "WRITE_ONLY", "READ_WRITE"]]
    add_to_default_tab: NotRequired[bool]
    group_id: NotRequired[int]
    scope: NotRequired[Literal["NODE_GLOBAL", "NODE_ROLE", "NODE_CLASS"]]
    if_missing: NotRequired[bool]

class CreateCustomFieldDefinitions(TypedDict):
    custom_fields: Sequence[Mapping[str, Any]]

class CreateCustomTab(TypedDict):
    name: str
    entity_type: Literal["NODE_ROLE", "ORGANIZATION", "END_USER", "SYSTEM"]
    entity_id: NotRequired[int]
    description: NotRequired[str]
    items: NotRequired[Sequence[Mapping[str, Any]]]
    position: NotRequired[int]

class CreateDocument(TypedDict):
    organization_id: int | str
    document_template_id: int
    document_name: NotRequired[str]
    document_description: NotRequired[str]
    fields: NotRequired[Mapping[str, Any]]

class CreateDocumentTemplate(TypedDict):
    name: str
    description: NotRequired[str]
    fields: NotRequired[Sequence[Mapping[str, Any]]]
    allow_multiple: NotRequired[bool]
    mandatory: NotRequired[bool]
    available_to_all_technicians: NotRequired[bool]
    allowed_technician_roles: NotRequired[Sequence[int | str]]

class CreateDocuments(TypedDict):
    documents: Sequence[Mapping[str, Any]]

class CreateEndUser(TypedDict):
    first_name: str
    last_name: str
    email: str
    phone: NotRequired[str]
    organization_id: NotRequired[int | str]
    full_portal_access: NotRequired[bool]
    send_invitation: NotRequired[bool]

class CreateIntegrityCheckJob(TypedDict):
    device_id: int | str
    plan_uid: str

class CreateLocation(TypedDict):
    organization_id: int | str
    name: str
    address: NotRequired[str]
    description: NotRequired[str]
    user_data: NotRequired[Mapping[str, Any]]
    tags: NotRequired[Sequence[str]]
    fields: NotRequired[Mapping[str, Any]]
    if_missing: NotRequired[bool]

class CreateNodeRoles(TypedDict):
    roles: Sequence[Mapping[str, Any]]

class CreateOrganization(TypedDict):
    template_organization_id: NotRequired[int | str]
    name: str
    description: NotRequired[str]
    device_approval_mode: NotRequired[Literal["AUTOMATIC", "MANUAL", "REJECT"]]
    user_data: NotRequired[Mapping[str, Any]]
    tags: NotRequired[Sequence[str]]
    fields: NotRequired[Mapping[str, Any]]
    locations: NotRequired[Sequence[Mapping[str, Any]]]
    policies: NotRequired[Sequence[Mapping[str, Any]] | Mapping[str, Any]]
    if_missing: NotRequired[bool]

class CreatePolicy(TypedDict):
    mode: Literal["NEW", "CHILD", "COPY"]
    name: str
    description: NotRequired[str]
    node_class: NotRequired[Literal["WINDOWS_SERVER", "WINDOWS_WORKSTATION", "LINUX_WORKSTATION", "MAC", "ANDROID", "APPLE_IOS", "APPLE_IPADOS", "VMWARE_VM_HOST", "VMWARE_VM_GUEST", "HYPERV_VMM_HOST", "HYPERV_VMM_GUEST", "LINUX_SERVER", "MAC_SERVER", "CLOUD_MONITOR_TARGET", "NMS_SWITCH", "NMS_ROUTER", "NMS_FIREWALL", "NMS_PRIVATE_NETWORK_GATEWAY", "NMS_PRINTER", "NMS_SCANNER", "NMS_DIAL_MANAGER", "NMS_WAP", "NMS_IPSLA", "NMS_COMPUTER", "NMS_VM_HOST", "NMS_APPLIANCE", "NMS_OTHER", "NMS_SERVER", "NMS_PHONE", "NMS_VIRTUAL_MACHINE", "NMS_NETWORK_MANAGEMENT_AGENT", "UNMANAGED_DEVICE", "MANAGED_DEVICE"]]
    parent_policy_id: NotRequired[int | str]
    template_policy_id: NotRequired[int | str]
    enabled: NotRequired[bool]

class CreateSecureRelatedItem(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int
    name: str
    username: NotRequired[str]
    password: NotRequired[str]
    totp_secret: NotRequired[str]
    url: NotRequired[str]
    notes: NotRequired[str]

class CreateSoftwareLicense(TypedDict):
    name: str
    description: str
    type: Literal["PER_DEVICE", "PER_END_USER", "CUSTOM"]
    quantity: int
    current_usage: int
    purchase_date: Time
    publisher_id: int
    vendor_id: int
    scope: Mapping[str, Any]
    term: Mapping[str, Any]
    notification_channel_info: Mapping[str, Any]
    assignment_automation_settings: NotRequired[Mapping[str, Any]]
    assigned_licensee_ids: NotRequired[Sequence[int]]
    unassigned_licensee_ids: NotRequired[Sequence[int]]
    note: NotRequired[str]

class CreateStagedDevice(TypedDict):
    name: str
    organization_id: int | str
    location_id: int | str
    role_id: int | str
    assigned_user_uid: NotRequired[str]
    itam_asset_id: NotRequired[str]
    itam_asset_serial_number: NotRequired[str]
    itam_asset_status: NotRequired[str]
    itam_asset_purchase_date: NotRequired[Time]
    itam_asset_purchase_amount: NotRequired[float]
    itam_asset_expected_lifetime: NotRequired[str]
    itam_asset_end_of_life_date: NotRequired[Time]
    warranty_start_date: NotRequired[Time]
    warranty_end_date: NotRequired[Time]

class CreateTag(TypedDict):
    name: str
    description: NotRequired[str]
    if_missing: NotRequired[bool]

class CreateTechnician(TypedDict):
    first_name: str
    last_name: str
    email: str
    phone: NotRequired[str]

class CreateTicket(TypedDict):
    client_id: NotRequired[int | str]
    ticket_form_id: NotRequired[int | str]
    subject: str
    description: NotRequired[str]
    description_html: NotRequired[str]
    description_public: NotRequired[bool]
    time_tracked: NotRequired[int]
    duplicate_in_incidents: NotRequired[bool]
    status: NotRequired[str]
    severity: NotRequired[Literal["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"]]
    priority: NotRequired[Literal["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]]
    type: NotRequired[Literal["PROBLEM", "QUESTION", "INCIDENT", "TASK", "CHANGE_REQUEST", "SERVICE_REQUEST", "PROJECT", "APPOINTMENT", "MISCELLANEOUS"]]
    device_id: NotRequired[int | str]
    location_id: NotRequired[int | str]
    requester_uid: NotRequired[str]
    assigned_technician_id: NotRequired[int | str]
    additional_assigned_technician_ids: NotRequired[Sequence[int | str]]
    cc_uids: NotRequired[Sequence[str]]
    cc_emails: NotRequired[Sequence[str]]
    tags: NotRequired[Sequence[str]]
    attributes: NotRequired[Sequence[Mapping[str, Any]]]
    parent_ticket_id: NotRequired[int]
    followup_time: NotRequired[Time]

class CreateUnmanagedDevice(TypedDict):
    name: str
    organization_id: int | str
    location_id: int | str
    role_id: int | str
    assigned_user_uid: NotRequired[str]
    serial_number: NotRequired[str]
    asset_id: NotRequired[str]
    asset_status: NotRequired[str]
    purchase_date: NotRequired[Time]
    purchase_amount: NotRequired[float]
    expected_lifetime: NotRequired[str]
    warranty_start: NotRequired[Time]
    warranty_end: NotRequired[Time]
    if_missing: NotRequired[bool]

class CreateWindowsEventCondition(TypedDict):
    policy_id: int | str
    display_name: NotRequired[str]
    source: str
    event_ids: Sequence[int]
    text: NotRequired[Mapping[str, Any]]
    occurrence: NotRequired[Mapping[str, Any]]
    severity: NotRequired[Literal["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"]]
    priority: NotRequired[Literal["NONE", "LOW", "MEDIUM", "HIGH"]]
    notification_action: NotRequired[Literal["NONE", "SEND"]]
    channels: NotRequired[Sequence[int]]
    notify_on_reset: NotRequired[bool]
    reset_threshold: NotRequired[int]
    scripts: NotRequired[Sequence[Mapping[str, Any]]]
    enabled: NotRequired[bool]

class DeactivateBillingAgreement(TypedDict):
    agreement_id: int

class DeactivateBillingProduct(TypedDict):
    product_id: int

class DecommissionDevice(TypedDict):
    device_id: int | str

class DecommissionUnmanagedDevice(TypedDict):
    device_id: int | str

class DecommissionUnmanagedDevices(TypedDict):
    device_ids: Sequence[int | str]

class DeleteArticles(TypedDict):
    article_ids: Sequence[int]

class DeleteAssetRelationship(TypedDict):
    relationship_id: int

class DeleteBillingAccount(TypedDict):
    account_id: int

class DeleteChecklist(TypedDict):
    checklist_id: int

class DeleteChecklistTemplate(TypedDict):
    checklist_template_id: int

class DeleteChecklistTemplates(TypedDict):
    checklist_template_ids: Sequence[int]

class DeleteChecklists(TypedDict):
    checklist_ids: Sequence[int]

class DeleteContact(TypedDict):
    contact_id: int | str

class DeleteCustomFieldDefinition(TypedDict):
    field_name: str

class DeleteCustomFieldDefinitions(TypedDict):
    field_names: str

class DeleteCustomTab(TypedDict):
    tab_id: int

class DeleteDocument(TypedDict):
    document_id: int

class DeleteDocumentTemplate(TypedDict):
    document_template_id: int

class DeleteEndUser(TypedDict):
    end_user_id: int | str

class DeleteEntityRelatedItems(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "ATTACHMENT", "TECHNICIAN", "CREDENTIAL", "CHECKLIST", "END_USER", "CONTACT", "KB_DOCUMENT", "SOFTWARE_LICENSE"]
    entity_id: int

class DeleteFolders(TypedDict):
    folder_ids: Sequence[int]

class DeleteNodeRoles(TypedDict):
    ids: Sequence[int | str]

class DeletePolicyCondition(TypedDict):
    policy_id: int | str
    condition_id: str

class DeleteRelatedItem(TypedDict):
    related_item_id: int

class DeleteSoftwareLicense(TypedDict):
    license_id: int

class DeleteTag(TypedDict):
    tag_id: int | str

class DeleteTags(TypedDict):
    tag_ids: Sequence[int | str]

class DeleteTechnician(TypedDict):
    technician_id: int | str

class DeleteTicketProducts(TypedDict):
    fields: Mapping[str, Any]

class DeleteUnmanagedDevice(TypedDict):
    device_id: int | str

class DisableWebhook(TypedDict):
    pass

class DownloadArticle(TypedDict):
    article_id: int

class DownloadRelatedItemAttachment(TypedDict):
    related_item_id: int

class ExportBillingInvoices(TypedDict):
    fields: Mapping[str, Any]

class GenerateInstaller(TypedDict):
    organization_id: int | str
    location_id: int | str
    installer_type: Literal["WINDOWS_MSI", "WINDOWS_ARM64_MSI", "MAC_DMG", "MAC_PKG", "LINUX_DEB", "LINUX_RPM", "LINUX_ARM64_DEB", "LINUX_ARMV7A_DEB", "LINUX_ARM64_RPM", "LINUX_ARMV7A_RPM"]
    node_role_id: NotRequired[str]

class GetArticleSignedUrls(TypedDict):
    article_id: int

class GetBillingAccount(TypedDict):
    account_id: int

class GetBillingAgreement(TypedDict):
    agreement_id: int

class GetBillingInvoice(TypedDict):
    invoice_id: int

class GetBillingProduct(TypedDict):
    product_id: int

class GetChecklist(TypedDict):
    checklist_id: int

class GetChecklistSignedUrls(TypedDict):
    checklist_id: int

class GetContact(TypedDict):
    contact_id: int | str

class GetCustomFieldCondition(TypedDict):
    policy_id: int | str
    condition_id: str

class GetCustomFieldDefinition(TypedDict):
    field_name: str

class GetCustomFieldSignedUrls(TypedDict):
    entity_type: Literal["NODE", "END_USER", "LOCATION", "ORGANIZATION"]
    entity_id: int

class GetCustomTab(TypedDict):
    tab_id: int

class GetDevice(TypedDict):
    device_id: int | str

class GetDeviceCustomFields(TypedDict):
    device_id: int | str
    with_inheritance: NotRequired[bool]

class GetDeviceLastLoggedOnUser(TypedDict):
    device_id: int | str

class GetDeviceLink(TypedDict):
    device_id: int | str
    redirect: NotRequired[bool]

class GetDevicePolicyOverrides(TypedDict):
    device_id: int | str

class GetDocumentSignedUrls(TypedDict):
    document_id: int

class GetDocumentTemplate(TypedDict):
    document_template_id: int
    include_technician_roles: NotRequired[bool]

class GetEndUser(TypedDict):
    end_user_id: int | str

class GetEndUserCustomFields(TypedDict):
    end_user_id: int | str

class GetEndUserTabHierarchy(TypedDict):
    tab_id: int

class GetEndUserTabSummary(TypedDict):
    pass

class GetFolder(TypedDict):
    folder_id: int
    include_archived: NotRequired[bool]

class GetFolderByPath(TypedDict):
    folder_path: NotRequired[str]
    organization_id: NotRequired[int | str]
    folder_id: NotRequired[int]

class GetGlobalTabSummary(TypedDict):
    pass

class GetLocationBackupUsage(TypedDict):
    organization_id: int | str
    location_id: int | str

class GetLocationCustomFields(TypedDict):
    organization_id: int | str
    location_id: int | str
    with_inheritance: NotRequired[bool]

class GetLocationInstaller(TypedDict):
    organization_id: int | str
    location_id: int | str
    installer_type: Literal["WINDOWS_MSI", "WINDOWS_ARM64_MSI", "MAC_DMG", "MAC_PKG", "LINUX_DEB", "LINUX_RPM", "LINUX_ARM64_DEB", "LINUX_ARMV7A_DEB", "LINUX_ARM64_RPM", "LINUX_ARMV7A_RPM"]

class GetOrganization(TypedDict):
    organization_id: int | str

class GetOrganizationCustomFields(TypedDict):
    organization_id: int | str

class GetOrganizationTabHierarchy(TypedDict):
    tab_id: int

class GetOrganizationTabSummary(TypedDict):
    pass

class GetRelatedItemSignedUrls(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int

class GetRoleTabHierarchy(TypedDict):
    tab_id: int
    role_id: int | str

class GetRoleTabSummary(TypedDict):
    role_id: int | str

class GetScanGroup(TypedDict):
    scan_group_id: int | str

class GetSoftwareLicense(TypedDict):
    license_id: int

class GetSystemCustomFields(TypedDict):
    pass

class GetTechnician(TypedDict):
    technician_id: int | str

class GetTicket(TypedDict):
    ticket_id: int

class GetTicketForm(TypedDict):
    ticket_form_id: int | str

class GetWindowsEventCondition(TypedDict):
    policy_id: int | str
    condition_id: str

class ListActiveJobs(TypedDict):
    job_type: NotRequired[str]
    device_filter: NotRequired[str]
    language: NotRequired[str]
    timezone: NotRequired[str]

class ListActivities(TypedDict):
    class_: NotRequired[Literal["SYSTEM", "DEVICE", "USER", "ALL"]]
    type: NotRequired[str]
    status: NotRequired[str]
    device_filter: NotRequired[str]
    user: NotRequired[str]
    after: NotRequired[Time]
    before: NotRequired[Time]
    newer_than: NotRequired[int]
    series_uid: NotRequired[str]
    source_config_uid: NotRequired[str]
    language: NotRequired[str]
    timezone: NotRequired[str]
    limit: NotRequired[int]

class ListAlerts(TypedDict):
    source_type: NotRequired[str]
    device_filter: NotRequired[str]
    language: NotRequired[str]
    timezone: NotRequired[str]

class ListAssetRelationshipTypes(TypedDict):
    pass

class ListAssetRelationships(TypedDict):
    pass

class ListAutomationScripts(TypedDict):
    language: NotRequired[str]

class ListBackupJobs(TypedDict):
    device_filter: NotRequired[str]
    status_filter: NotRequired[str]
    plan_type_filter: NotRequired[str]
    start_time_filter: NotRequired[str]
    include: NotRequired[str]
    deleted_device_filter: NotRequired[str]
    limit: NotRequired[int]

class ListBillingAccounts(TypedDict):
    pass

class ListBillingAgreements(TypedDict):
    pass

class ListBillingInvoices(TypedDict):
    pass

class ListBillingProducts(TypedDict):
    pass

class ListChecklistTemplates(TypedDict):
    checklist_template_ids: NotRequired[str]
    checklist_template_name: NotRequired[str]
    required: NotRequired[bool]
    include_archived: NotRequired[bool]

class ListChecklists(TypedDict):
    organization_ids: NotRequired[str]
    checklist_name: NotRequired[str]
    assigned_to_user_id: NotRequired[int | str]
    completed: NotRequired[bool]
    required: NotRequired[bool]
    checklist_ids: NotRequired[str]
    include_archived: NotRequired[bool]

class ListContacts(TypedDict):
    pass

class ListCustomFieldConditions(TypedDict):
    policy_id: int | str

class ListCustomFieldDefinitions(TypedDict):
    limit: NotRequired[int]

class ListDeviceActiveJobs(TypedDict):
    device_id: int | str
    language: NotRequired[str]
    timezone: NotRequired[str]

class ListDeviceActivities(TypedDict):
    device_id: int | str
    activity_type: NotRequired[str]
    status: NotRequired[str]
    newer_than: NotRequired[int]
    series_uid: NotRequired[str]
    language: NotRequired[str]
    timezone: NotRequired[str]
    limit: NotRequired[int]

class ListDeviceAlerts(TypedDict):
    device_id: int | str
    language: NotRequired[str]
    timezone: NotRequired[str]

class ListDeviceDisks(TypedDict):
    device_id: int | str

class ListDeviceGeolocationHistory(TypedDict):
    device_id: int | str
    limit: NotRequired[int]

class ListDeviceNetworkInterfaces(TypedDict):
    device_id: int | str

class ListDeviceOsPatchInstalls(TypedDict):
    device_id: int | str
    status: NotRequired[str]
    installed_after: NotRequired[Time]
    installed_before: NotRequired[Time]

class ListDeviceOsPatches(TypedDict):
    device_id: int | str
    status: NotRequired[str]
    type: NotRequired[str]
    severity: NotRequired[str]

class ListDeviceProcessors(TypedDict):
    device_id: int | str

class ListDeviceRoles(TypedDict):
    pass

class ListDeviceSoftware(TypedDict):
    device_id: int | str

class ListDeviceSoftwarePatchInstalls(TypedDict):
    device_id: int | str
    status: NotRequired[str]
    installed_after: NotRequired[Time]
    installed_before: NotRequired[Time]
    type: NotRequired[str]
    impact: NotRequired[str]
    product_identifier: NotRequired[str]

class ListDeviceSoftwarePatches(TypedDict):
    device_id: int | str
    status: NotRequired[str]
    type: NotRequired[str]
    impact: NotRequired[str]
    product_identifier: NotRequired[str]

class ListDeviceVolumes(TypedDict):
    device_id: int | str
    include: NotRequired[str]

class ListDevices(TypedDict):
    filter: NotRequired[str]
    limit: NotRequired[int]

class ListDevicesDetailed(TypedDict):
    device_filter: NotRequired[str]
    expand: NotRequired[str]
    limit: NotRequired[int]

class ListDocumentTemplates(TypedDict):
    template_name: NotRequired[str]
    include_technician_roles: NotRequired[bool]

class ListDocuments(TypedDict):
    organization_ids: NotRequired[str]
    template_ids: NotRequired[str]
    template_name: NotRequired[str]
    document_name: NotRequired[str]
    group_by: NotRequired[Literal["TEMPLATE", "ORGANIZATION"]]

class ListEnabledNotificationChannels(TypedDict):
    pass

class ListEndUsers(TypedDict):
    pass

class ListEntityAssetRelationships(TypedDict):
    entity_type: str
    entity_id: int

class ListEntityRelatedItems(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int
    scope: NotRequired[Literal["ALL", "HOSTING", "HOSTED_BY"]]

class ListEntityTypeRelatedItems(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]

class ListGlobalArticles(TypedDict):
    article_name: NotRequired[str]
    include_archived: NotRequired[bool]

class ListGlobalCustomFields(TypedDict):
    scopes: NotRequired[str]

class ListGroupDeviceIds(TypedDict):
    group_id: int | str

class ListGroups(TypedDict):
    pass

class ListIntegrityCheckJobs(TypedDict):
    device_filter: NotRequired[str]
    status_filter: NotRequired[str]
    plan_type_filter: NotRequired[str]
    start_time_filter: NotRequired[str]
    include: NotRequired[str]
    deleted_device_filter: NotRequired[str]
    limit: NotRequired[int]

class ListItemsRelatedToEntity(TypedDict):
    related_entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "ATTACHMENT", "TECHNICIAN", "CREDENTIAL", "CHECKLIST", "END_USER", "CONTACT", "KB_DOCUMENT", "SOFTWARE_LICENSE"]
    related_entity_id: int

class ListItemsRelatedToEntityType(TypedDict):
    related_entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "ATTACHMENT", "TECHNICIAN", "CREDENTIAL", "CHECKLIST", "END_USER", "CONTACT", "KB_DOCUMENT", "SOFTWARE_LICENSE"]

class ListLocationBackupUsage(TypedDict):
    organization_id: int | str

class ListLocations(TypedDict):
    limit: NotRequired[int]

class ListNodeRoles(TypedDict):
    is_assignable: NotRequired[bool]

class ListNotificationChannels(TypedDict):
    pass

class ListOrganizationArticles(TypedDict):
    organization_ids: NotRequired[str]
    article_name: NotRequired[str]
    include_archived: NotRequired[bool]

class ListOrganizationDevices(TypedDict):
    organization_id: int | str
    limit: NotRequired[int]

class ListOrganizationDocuments(TypedDict):
    organization_id: int | str

class ListOrganizationEndUsers(TypedDict):
    organization_id: int | str
    include_roles: NotRequired[bool]

class ListOrganizationLocations(TypedDict):
    organization_id: int | str

class ListOrganizations(TypedDict):
    organization_filter: NotRequired[str]
    limit: NotRequired[int]

class ListOrganizationsDetailed(TypedDict):
    organization_filter: NotRequired[str]
    limit: NotRequired[int]

class ListPolicies(TypedDict):
    pass

class ListRelatedItems(TypedDict):
    pass

class ListScanGroups(TypedDict):
    pass

class ListScheduledTasks(TypedDict):
    pass

class ListScriptingOptions(TypedDict):
    device_id: int | str
    language: NotRequired[str]

class ListSoftwareLicenseAssignments(TypedDict):
    license_id: int

class ListSoftwareLicenses(TypedDict):
    pass

class ListSoftwareProducts(TypedDict):
    pass

class ListTags(TypedDict):
    pass

class ListTechnicians(TypedDict):
    pass

class ListTicketAttributes(TypedDict):
    pass

class ListTicketBoards(TypedDict):
    pass

class ListTicketContacts(TypedDict):
    pass

class ListTicketForms(TypedDict):
    pass

class ListTicketLogEntries(TypedDict):
    ticket_id: int
    type: NotRequired[Literal["DESCRIPTION", "COMMENT", "CONDITION", "SAVE", "DELETE", "PRODUCT", "INFO"]]
    create_time: NotRequired[str]
    limit: NotRequired[int]

class ListTicketProducts(TypedDict):
    ticket_id: int

class ListTicketStatuses(TypedDict):
    pass

class ListTicketUsersAndContacts(TypedDict):
    search_criteria: NotRequired[str]
    user_type: NotRequired[Literal["TECHNICIAN", "END_USER", "CONTACT"]]
    client_id: NotRequired[int | str]
    limit: NotRequired[int]

class ListUserRoles(TypedDict):
    role_type: NotRequired[Literal["TECHNICIAN", "END_USER"]]

class ListUsers(TypedDict):
    user_type: NotRequired[Literal["TECHNICIAN", "END_USER"]]
    include_roles: NotRequired[bool]

class ListWindowsEventConditions(TypedDict):
    policy_id: int | str

class ListWindowsServices(TypedDict):
    device_id: int | str
    service_name: NotRequired[str]
    service_state: NotRequired[Literal["UNKNOWN", "STOPPED", "START_PENDING", "RUNNING", "STOP_PENDING", "PAUSE_PENDING", "PAUSED", "CONTINUE_PENDING"]]

class MergeTags(TypedDict):
    tag_ids: Sequence[int | str]
    merge_method: Literal["MERGE_INTO_EXISTING_TAG", "MERGE_INTO_NEW_TAG"]
    merge_into_tag_id: NotRequired[int | str]
    name: NotRequired[str]
    description: NotRequired[str]

class MoveFoldersAndArticles(TypedDict):
    folder_ids: NotRequired[Sequence[int]]
    article_ids: NotRequired[Sequence[int]]
    destination_folder_id: NotRequired[int]
    destination_organization_id: NotRequired[int | str]

class OrderEndUserTabs(TypedDict):
    order: Sequence[Mapping[str, Any]]

class OrderGlobalTabs(TypedDict):
    order: Sequence[Mapping[str, Any]]

class OrderOrganizationTabs(TypedDict):
    order: Sequence[Mapping[str, Any]]

class OrderRoleTabs(TypedDict):
    role_id: int | str
    order: Sequence[Mapping[str, Any]]

class PromoteChecklists(TypedDict):
    checklist_ids: Sequence[int]

class PromoteChecklistsWithNames(TypedDict):
    checklists: Sequence[Mapping[str, Any]]

class RebootDevice(TypedDict):
    device_id: int | str
    mode: Literal["NORMAL", "FORCED"]
    reason: NotRequired[str]

class RelateItem(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int
    related_entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "ATTACHMENT", "TECHNICIAN", "CREDENTIAL", "CHECKLIST", "END_USER", "CONTACT", "KB_DOCUMENT", "SOFTWARE_LICENSE"]
    related_entity_id: int

class RelateItems(TypedDict):
    entity_type: Literal["ORGANIZATION", "DOCUMENT", "LOCATION", "NODE", "CHECKLIST", "KB_DOCUMENT", "END_USER", "SOFTWARE_LICENSE"]
    entity_id: int
    relations: Sequence[Mapping[str, Any]]

class RemoveDeviceOwner(TypedDict):
    device_id: int | str

class RemoveRoleMembers(TypedDict):
    role_id: int | str
    user_ids: Sequence[int | str]

class RenameCustomTab(TypedDict):
    tab_id: int
    name: str
    description: NotRequired[str]

class ReportAntivirusStatus(TypedDict):
    device_filter: NotRequired[str]
    product_state: NotRequired[str]
    product_name: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportAntivirusThreats(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportBackupUsage(TypedDict):
    include_deleted_devices: NotRequired[bool]
    limit: NotRequired[int]

class ReportComputerSystems(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportCustomFields(TypedDict):
    device_filter: NotRequired[str]
    fields: NotRequired[str]
    updated_after: NotRequired[Time]
    show_secure_values: NotRequired[bool]
    limit: NotRequired[int]

class ReportCustomFieldsDetailed(TypedDict):
    device_filter: NotRequired[str]
    fields: NotRequired[str]
    updated_after: NotRequired[Time]
    show_secure_values: NotRequired[bool]
    limit: NotRequired[int]

class ReportDeviceHealth(TypedDict):
    device_filter: NotRequired[str]
    health: NotRequired[str]
    limit: NotRequired[int]

class ReportDisks(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportLoggedOnUsers(TypedDict):
    device_filter: NotRequired[str]
    limit: NotRequired[int]

class ReportNetworkInterfaces(TypedDict):
    device_filter: NotRequired[str]
    limit: NotRequired[int]

class ReportOperatingSystems(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportOsPatchInstalls(TypedDict):
    device_filter: NotRequired[str]
    status: NotRequired[str]
    installed_after: NotRequired[Time]
    installed_before: NotRequired[Time]
    limit: NotRequired[int]

class ReportOsPatches(TypedDict):
    device_filter: NotRequired[str]
    status: NotRequired[str]
    type: NotRequired[str]
    severity: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportPolicyOverrides(TypedDict):
    device_filter: NotRequired[str]
    limit: NotRequired[int]

class ReportProcessors(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportRaidControllers(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportRaidDrives(TypedDict):
    device_filter: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportScopedCustomFields(TypedDict):
    scopes: NotRequired[str]
    fields: NotRequired[str]
    updated_after: NotRequired[Time]
    show_secure_values: NotRequired[bool]
    limit: NotRequired[int]

class ReportScopedCustomFieldsDetailed(TypedDict):
    scopes: NotRequired[str]
    fields: NotRequired[str]
    updated_after: NotRequired[Time]
    show_secure_values: NotRequired[bool]
    limit: NotRequired[int]

class ReportSoftware(TypedDict):
    device_filter: NotRequired[str]
    installed_after: NotRequired[Time]
    installed_before: NotRequired[Time]
    limit: NotRequired[int]

class ReportSoftwarePatchInstalls(TypedDict):
    device_filter: NotRequired[str]
    status: NotRequired[str]
    installed_after: NotRequired[Time]
    installed_before: NotRequired[Time]
    type: NotRequired[str]
    impact: NotRequired[str]
    product_identifier: NotRequired[str]
    limit: NotRequired[int]

class ReportSoftwarePatches(TypedDict):
    device_filter: NotRequired[str]
    status: NotRequired[str]
    type: NotRequired[str]
    impact: NotRequired[str]
    product_identifier: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportVolumes(TypedDict):
    device_filter: NotRequired[str]
    include: NotRequired[str]
    timestamp_filter: NotRequired[Time]
    limit: NotRequired[int]

class ReportWindowsServices(TypedDict):
    device_filter: NotRequired[str]
    service_name: NotRequired[str]
    service_state: NotRequired[Literal["UNKNOWN", "STOPPED", "START_PENDING", "RUNNING", "STOP_PENDING", "PAUSE_PENDING", "PAUSED", "CONTINUE_PENDING"]]
    limit: NotRequired[int]

class ResetAlert(TypedDict):
    alert_uid: str

class ResetAlertWithData(TypedDict):
    alert_uid: str
    data: Mapping[str, Any]

class ResetDevicePolicyOverrides(TypedDict):
    device_id: int | str

class RestoreArticles(TypedDict):
    article_ids: Sequence[int]

class RestoreChecklistTemplates(TypedDict):
    checklist_template_ids: Sequence[int]

class RestoreChecklists(TypedDict):
    checklist_ids: Sequence[int]

class RestoreDocument(TypedDict):
    document_id: int

class RestoreDocumentTemplate(TypedDict):
    document_template_id: int

class RestoreDocumentTemplates(TypedDict):
    document_template_ids: Sequence[int]

class RestoreDocuments(TypedDict):
    document_ids: Sequence[int]

class RestoreFolders(TypedDict):
    folder_ids: Sequence[int]

class RunScript(TypedDict):
    device_id: int | str
    script_id: NotRequired[int | str]
    type: Literal["ACTION", "SCRIPT"]
    uid: NotRequired[str]
    parameters: NotRequired[str]
    run_as: NotRequired[str]
    parameter_list: NotRequired[Sequence[str]]
    result_field: NotRequired[str]

class RunTicketBoard(TypedDict):
    board_id: int | str
    filters: NotRequired[Sequence[Mapping[str, Any]]]
    sort_by: NotRequired[Sequence[Mapping[str, Any]]]
    search_criteria: NotRequired[str]
    include_columns: NotRequired[Sequence[str]]
    limit: NotRequired[int]

class ScanOsPatches(TypedDict):
    device_id: int | str

class ScanSoftwarePatches(TypedDict):
    device_id: int | str

class ScheduleMaintenance(TypedDict):
    device_id: int | str
    disabled_features: Sequence[Literal["ALERTS", "PATCHING", "AVSCANS", "TASKS"]]
    start: NotRequired[Time]
    end: Time
    reason: NotRequired[str]

class SearchDevices(TypedDict):
    query: str
    limit: NotRequired[int]

class SetAssetTags(TypedDict):
    asset_type: NotRequired[Literal["device"]]
    asset_id: int | str
    tag_ids: Sequence[int | str]

class SetBackupBandwidthThrottle(TypedDict):
    device_id: int | str
    enabled: bool
    work_hours_kbps: NotRequired[int]
    non_work_hours_kbps: NotRequired[int]
    work_hours_user_unit: NotRequired[str]
    non_work_hours_user_unit: NotRequired[str]
    week_days: NotRequired[Sequence[str]]
    start_hour: NotRequired[int]
    start_minute: NotRequired[int]
    end_hour: NotRequired[int]
    end_minute: NotRequired[int]

class SetDeviceOwner(TypedDict):
    device_id: int | str
    owner_uid: str

class SetRoleTabVisibility(TypedDict):
    role_id: int | str
    visibility: Sequence[Mapping[str, Any]]

class UnarchiveBillingInvoices(TypedDict):
    fields: Mapping[str, Any]

class UpdateArticles(TypedDict):
    articles: Sequence[Mapping[str, Any]]

class UpdateAssetTags(TypedDict):
    asset_type: NotRequired[Literal["device"]]
    asset_ids: Sequence[int | str]
    tag_ids_to_add: NotRequired[Sequence[int | str]]
    tag_ids_to_remove: NotRequired[Sequence[int | str]]

class UpdateBillingAccount(TypedDict):
    account_id: int
    fields: Mapping[str, Any]

class UpdateBillingAgreement(TypedDict):
    agreement_id: int
    fields: Mapping[str, Any]

class UpdateBillingInvoice(TypedDict):
    invoice_id: int
    fields: Mapping[str, Any]

class UpdateBillingInvoiceNote(TypedDict):
    invoice_id: int
    fields: Mapping[str, Any]

class UpdateBillingProduct(TypedDict):
    product_id: int
    fields: Mapping[str, Any]

class UpdateChecklistTemplates(TypedDict):
    templates: Sequence[Mapping[str, Any]]

class UpdateChecklists(TypedDict):
    checklists: Sequence[Mapping[str, Any]]

class UpdateContact(TypedDict):
    contact_id: int | str
    first_name: NotRequired[str]
    last_name: NotRequired[str]
    email: NotRequired[str]
    phone: NotRequired[str]
    job_title: NotRequired[str]
    organization_id: NotRequired[int | str]

class UpdateCustomFieldDefinition(TypedDict):
    field_name: str
    label: NotRequired[str]
    new_field_name: NotRequired[str]
    type: NotRequired[Literal["DROPDOWN", "MULTI_SELECT", "CHECKBOX", "TEXT", "TEXT_MULTILINE", "TEXT_ENCRYPTED", "NUMERIC", "DECIMAL", "DATE", "DATE_TIME", "TIME", "ATTACHMENT", "NODE_DROPDOWN", "NODE_MULTI_SELECT", "CLIENT_DROPDOWN", "CLIENT_MULTI_SELECT", "CLIENT_LOCATION_DROPDOWN", "CLIENT_LOCATION_MULTI_SELECT", "CLIENT_DOCUMENT_DROPDOWN", "CLIENT_DOCUMENT_MULTI_SELECT", "EMAIL", "PHONE", "IP_ADDRESS", "WYSIWYG", "URL", "MONETARY", "IDENTIFIER", "TOTP"]]
    definition_scope: NotRequired[Sequence[Literal["NODE", "END_USER", "LOCATION", "ORGANIZATION"]]]
    description: NotRequired[str]
    content: NotRequired[Mapping[str, Any]]
    default_value: NotRequired[str]
    technician_permission: NotRequired[Literal["NONE", "EDITABLE", "READ_ONLY"]]
    script_permission: NotRequired[Literal["NONE", "READ_ONLY", "WRITE_ONLY", "READ_WRITE"]]
    api_permission: NotRequired[Literal["NONE", "READ_ONLY", "WRITE_ONLY", "READ_WRITE"]]
    active: NotRequired[bool]
    group_id: NotRequired[int]
    scope: NotRequired[Literal["NODE_GLOBAL", "NODE_ROLE", "NODE_CLASS"]]

class UpdateCustomFieldDefinitions(TypedDict):
    custom_fields: Sequence[Mapping[str, Any]]

class UpdateCustomTab(TypedDict):
    tab_id: int
    role_id: NotRequired[int | str]
    items: NotRequired[Sequence[Mapping[str, Any]]]
    position: NotRequired[int]

class UpdateDevice(TypedDict):
    device_id: int | str
    display_name: NotRequired[str]
    user_data: NotRequired[Mapping[str, Any]]
    node_role_id: NotRequired[int | str]
    policy_id: NotRequired[int | str | None]
    organization_id: NotRequired[int | str]
    location_id: NotRequired[int | str]
    warranty_start: NotRequired[Time]
    warranty_end: NotRequired[Time]
    warranty_fulfillment: NotRequired[Time]

class UpdateDeviceCustomFields(TypedDict):
    device_id: int | str
    fields: Mapping[str, Any]

class UpdateDocument(TypedDict):
    organization_id: int | str
    document_id: int
    document_name: NotRequired[str]
    document_description: NotRequired[str]
    fields: NotRequired[Mapping[str, Any]]

class UpdateDocumentTemplate(TypedDict):
    document_template_id: int
    name: NotRequired[str]
    description: NotRequired[str]
    fields: NotRequired[Sequence[Mapping[str, Any]]]
    mandatory: NotRequired[bool]
    available_to_all_technicians: NotRequired[bool]
    allowed_technician_roles: NotRequired[Sequence[int | str]]

class UpdateDocuments(TypedDict):
    documents: Sequence[Mapping[str, Any]]

class UpdateEndUser(TypedDict):
    end_user_id: int | str
    first_name: NotRequired[str]
    last_name: NotRequired[str]
    organization_id: NotRequired[int | str]
    full_portal_access: NotRequired[bool]

class UpdateEndUserCustomFields(TypedDict):
    end_user_id: int | str
    fields: Mapping[str, Any]

class UpdateEndUserDeviceAccess(TypedDict):
    end_user_id: int | str
    access: Mapping[str, Any]

class UpdateLicenseLastUsage(TypedDict):
    fields: Mapping[str, Any]

class UpdateLocation(TypedDict):
    organization_id: int | str
    location_id: int | str
    name: NotRequired[str]
    address: NotRequired[str]
    description: NotRequired[str]
    user_data: NotRequired[Mapping[str, Any]]
    tags: NotRequired[Sequence[str]]
    fields: NotRequired[Mapping[str, Any]]

class UpdateLocationCustomFields(TypedDict):
    organization_id: int | str
    location_id: int | str
    fields: Mapping[str, Any]

class UpdateNodeRoles(TypedDict):
    roles: Sequence[Mapping[str, Any]]

class UpdateOrganization(TypedDict):
    organization_id: int | str
    name: NotRequired[str]
    description: NotRequired[str]
    device_approval_mode: NotRequired[Literal["AUTOMATIC", "MANUAL", "REJECT"]]
    user_data: NotRequired[Mapping[str, Any]]
    tags: NotRequired[Sequence[str]]
    fields: NotRequired[Mapping[str, Any]]
    policies: NotRequired[Sequence[Mapping[str, Any]] | Mapping[str, Any]]

class UpdateOrganizationCustomFields(TypedDict):
    organization_id: int | str
    fields: Mapping[str, Any]

class UpdateRoleOrganizationPermissions(TypedDict):
    role_id: int | str
    permissions: Mapping[str, Any]

class UpdateSoftwareLicense(TypedDict):
    license_id: int
    name: str
    description: str
    type: Literal["PER_DEVICE", "PER_END_USER", "CUSTOM"]
    quantity: int
    current_usage: int
    purchase_date: Time
    publisher_id: int
    vendor_id: int
    scope: Mapping[str, Any]
    term: Mapping[str, Any]
    notification_channel_info: Mapping[str, Any]
    assignment_automation_settings: NotRequired[Mapping[str, Any]]
    assigned_licensee_ids: NotRequired[Sequence[int]]
    unassigned_licensee_ids: NotRequired[Sequence[int]]
    note: NotRequired[str]

class UpdateSystemCustomFields(TypedDict):
    fields: Mapping[str, Any]

class UpdateTag(TypedDict):
    tag_id: int | str
    name: NotRequired[str]
    description: NotRequired[str]

class UpdateTechnician(TypedDict):
    technician_id: int | str
    first_name: NotRequired[str]
    last_name: NotRequired[str]

class UpdateTicket(TypedDict):
    ticket_id: int
    version: NotRequired[int]
    client_id: NotRequired[int | str]
    ticket_form_id: NotRequired[int | str]
    subject: NotRequired[str]
    status: NotRequired[str]
    severity: NotRequired[Literal["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"]]
    priority: NotRequired[Literal["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]]
    type: NotRequired[Literal["PROBLEM", "QUESTION", "INCIDENT", "TASK", "CHANGE_REQUEST", "SERVICE_REQUEST", "PROJECT", "APPOINTMENT", "MISCELLANEOUS"]]
    device_id: NotRequired[int | str | None]
    location_id: NotRequired[int | str | None]
    requester_uid: NotRequired[str]
    assigned_technician_id: NotRequired[int | str | None]
    additional_assigned_technician_ids: NotRequired[Sequence[int | str]]
    cc_uids: NotRequired[Sequence[str]]
    cc_emails: NotRequired[Sequence[str]]
    tags: NotRequired[Sequence[str]]
    attributes: NotRequired[Sequence[Mapping[str, Any]]]
    parent_ticket_id: NotRequired[int | None]
    followup_time: NotRequired[Time | None]

class UpdateTicketProduct(TypedDict):
    ticket_product_id: int
    fields: Mapping[str, Any]

class UpdateTicketTimeEntry(TypedDict):
    time_entry_id: int
    fields: Mapping[str, Any]

class UpdateUnmanagedDevice(TypedDict):
    device_id: int | str
    name: str
    organization_id: int | str
    location_id: int | str
    assigned_user_uid: NotRequired[str]
    serial_number: NotRequired[str]
    asset_id: NotRequired[str]
    asset_status: NotRequired[str]
    purchase_date: NotRequired[Time]
    purchase_amount: NotRequired[float]
    expected_lifetime: NotRequired[str]
    warranty_start: NotRequired[Time]
    warranty_end: NotRequired[Time]

class UploadArticles(TypedDict):
    files: Sequence[str | Path]
    organization_id: NotRequired[int | str]
    folder_id: NotRequired[int]
    folder_path: NotRequired[str]

class UploadScanGroupCsv(TypedDict):
    scan_group_id: int | str
    csv: str | Path

class UploadTemporaryAttachments(TypedDict):
    entity_type: NotRequired[Literal["TICKET", "NODE", "DOCUMENT", "RELATED_ITEM", "CHECKLIST", "AUTOMATION", "LOCATION", "ORGANIZATION", "TRIGGER", "TECHNICIAN", "FILE_TRANSFER_AUTOMATION", "END_USER", "EMAIL_TEMPLATE", "POLICY"]]
    files: Sequence[str | Path]

class UpsertSoftwareLicense(TypedDict):
    name: str
    description: NotRequired[str]
    type: Literal["PER_DEVICE", "PER_END_USER", "CUSTOM"]
    quantity: int
    current_usage: NotRequired[int]
    purchase_date: NotRequired[Time]
    publisher_name: str
    vendor_name: str
    scope: Mapping[str, Any]
    current_licensees: NotRequired[Sequence[str]]
    licensees_to_assign: NotRequired[Sequence[str]]
    licensees_to_remove: NotRequired[Sequence[str]]
    note: NotRequired[str]

NinjaOneAction = Literal["activate_billing_product", "add_role_members", "add_ticket_comment", "apply_os_patches", "apply_software_patches", "approve_billing_invoices", "approve_devices", "archive_articles", "archive_billing_invoices", "archive_checklist_templates", "archive_checklists", "archive_document", "archive_document_template", "archive_document_templates", "archive_documents", "archive_folders", "assign_organization_policies", "attach_file_to_entity", "cancel_maintenance", "configure_webhook", "configure_windows_service", "control_windows_service", "create_ad_hoc_ticket_product", "create_articles", "create_asset_relationship", "create_asset_relationship_type", "create_billing_account", "create_billing_agreement", "create_billing_invoice", "create_billing_product", "create_catalog_ticket_product", "create_checklist_templates", "create_checklists", "create_checklists_from_templates", "create_contact", "create_custom_field_condition", "create_custom_field_definition", "create_custom_field_definitions", "create_custom_tab", "create_document", "create_document_template", "create_documents", "create_end_user", "create_integrity_check_job", "create_location", "create_node_roles", "create_organization", "create_policy", "create_secure_related_item", "create_software_license", "create_staged_device", "create_tag", "create_technician", "create_ticket", "create_unmanaged_device", "create_windows_event_condition", "deactivate_billing_agreement", "deactivate_billing_product", "decommission_device", "decommission_unmanaged_device", "decommission_unmanaged_devices", "delete_articles", "delete_asset_relationship", "delete_billing_account", "delete_checklist", "delete_checklist_template", "delete_checklist_templates", "delete_checklists", "delete_contact", "delete_custom_field_definition", "delete_custom_field_definitions", "delete_custom_tab", "delete_document", "delete_document_template", "delete_end_user", "delete_entity_related_items", "delete_folders", "delete_node_roles", "delete_policy_condition", "delete_related_item", "delete_software_license", "delete_tag", "delete_tags", "delete_technician", "delete_ticket_products", "delete_unmanaged_device", "disable_webhook", "download_article", "download_related_item_attachment", "export_billing_invoices", "generate_installer", "get_article_signed_urls", "get_billing_account", "get_billing_agreement", "get_billing_invoice", "get_billing_product", "get_checklist", "get_checklist_signed_urls", "get_contact", "get_custom_field_condition", "get_custom_field_definition", "get_custom_field_signed_urls", "get_custom_tab", "get_device", "get_device_custom_fields", "get_device_last_logged_on_user", "get_device_link", "get_device_policy_overrides", "get_document_signed_urls", "get_document_template", "get_end_user", "get_end_user_custom_fields", "get_end_user_tab_hierarchy", "get_end_user_tab_summary", "get_folder", "get_folder_by_path", "get_global_tab_summary", "get_location_backup_usage", "get_location_custom_fields", "get_location_installer", "get_organization", "get_organization_custom_fields", "get_organization_tab_hierarchy", "get_organization_tab_summary", "get_related_item_signed_urls", "get_role_tab_hierarchy", "get_role_tab_summary", "get_scan_group", "get_software_license", "get_system_custom_fields", "get_technician", "get_ticket", "get_ticket_form", "get_windows_event_condition", "list_active_jobs", "list_activities", "list_alerts", "list_asset_relationship_types", "list_asset_relationships", "list_automation_scripts", "list_backup_jobs", "list_billing_accounts", "list_billing_agreements", "list_billing_invoices", "list_billing_products", "list_checklist_templates", "list_checklists", "list_contacts", "list_custom_field_conditions", "list_custom_field_definitions", "list_device_active_jobs", "list_device_activities", "list_device_alerts", "list_device_disks", "list_device_geolocation_history", "list_device_network_interfaces", "list_device_os_patch_installs", "list_device_os_patches", "list_device_processors", "list_device_roles", "list_device_software", "list_device_software_patch_installs", "list_device_software_patches", "list_device_volumes", "list_devices", "list_devices_detailed", "list_document_templates", "list_documents", "list_enabled_notification_channels", "list_end_users", "list_entity_asset_relationships", "list_entity_related_items", "list_entity_type_related_items", "list_global_articles", "list_global_custom_fields", "list_group_device_ids", "list_groups", "list_integrity_check_jobs", "list_items_related_to_entity", "list_items_related_to_entity_type", "list_location_backup_usage", "list_locations", "list_node_roles", "list_notification_channels", "list_organization_articles", "list_organization_devices", "list_organization_documents", "list_organization_end_users", "list_organization_locations", "list_organizations", "list_organizations_detailed", "list_policies", "list_related_items", "list_scan_groups", "list_scheduled_tasks", "list_scripting_options", "list_software_license_assignments", "list_software_licenses", "list_software_products", "list_tags", "list_technicians", "list_ticket_attributes", "list_ticket_boards", "list_ticket_contacts", "list_ticket_forms", "list_ticket_log_entries", "list_ticket_products", "list_ticket_statuses", "list_ticket_users_and_contacts", "list_user_roles", "list_users", "list_windows_event_conditions", "list_windows_services", "merge_tags", "move_folders_and_articles", "order_end_user_tabs", "order_global_tabs", "order_organization_tabs", "order_role_tabs", "promote_checklists", "promote_checklists_with_names", "reboot_device", "relate_item", "relate_items", "remove_device_owner", "remove_role_members", "rename_custom_tab", "report_antivirus_status", "report_antivirus_threats", "report_backup_usage", "report_computer_systems", "report_custom_fields", "report_custom_fields_detailed", "report_device_health", "report_disks", "report_logged_on_users", "report_network_interfaces", "report_operating_systems", "report_os_patch_installs", "report_os_patches", "report_policy_overrides", "report_processors", "report_raid_controllers", "report_raid_drives", "report_scoped_custom_fields", "report_scoped_custom_fields_detailed", "report_software", "report_software_patch_installs", "report_software_patches", "report_volumes", "report_windows_services", "reset_alert", "reset_alert_with_data", "reset_device_policy_overrides", "restore_articles", "restore_checklist_templates", "restore_checklists", "restore_document", "restore_document_template", "restore_document_templates", "restore_documents", "restore_folders", "run_script", "run_ticket_board", "scan_os_patches", "scan_software_patches", "schedule_maintenance", "search_devices", "set_asset_tags", "set_backup_bandwidth_throttle", "set_device_owner", "set_role_tab_visibility", "unarchive_billing_invoices", "update_articles", "update_asset_tags", "update_billing_account", "update_billing_agreement", "update_billing_invoice", "update_billing_invoice_note", "update_billing_product", "update_checklist_templates", "update_checklists", "update_contact", "update_custom_field_definition", "update_custom_field_definitions", "update_custom_tab", "update_device", "update_device_custom_fields", "update_document", "update_document_template", "update_documents", "update_end_user", "update_end_user_custom_fields", "update_end_user_device_access", "update_license_last_usage", "update_location", "update_location_custom_fields", "update_node_roles", "update_organization", "update_organization_custom_fields", "update_role_organization_permissions", "update_software_license", "update_system_custom_fields", "update_tag", "update_technician", "update_ticket", "update_ticket_product", "update_ticket_time_entry", "update_unmanaged_device", "upload_articles", "upload_scan_group_csv", "upload_temporary_attachments", "upsert_software_license"]

class NinjaOne(Session):
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
        region: Literal["us", "us2", "eu", "ca", "oc", "fed"] = ...,
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
    ) -> None: ...
    @overload  # type: ignore[override]
    def call(self, action: Literal["activate_billing_product"], /, *, confirm: bool = ..., **inputs: Unpack[ActivateBillingProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["add_role_members"], /, *, confirm: bool = ..., **inputs: Unpack[AddRoleMembers]) -> Any: ...
    @overload
    def call(self, action: Literal["add_ticket_comment"], /, *, confirm: bool = ..., **inputs: Unpack[AddTicketComment]) -> Any: ...
    @overload
    def call(self, action: Literal["apply_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ApplyOsPatches]) -> Any: ...
    @overload
    def call(self, action: Literal["apply_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ApplySoftwarePatches]) -> Any: ...
    @overload
    def call(self, action: Literal["approve_billing_invoices"], /, *, confirm: bool = ..., **inputs: Unpack[ApproveBillingInvoices]) -> Any: ...
    @overload
    def call(self, action: Literal["approve_devices"], /, *, confirm: bool = ..., **inputs: Unpack[ApproveDevices]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_articles"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_billing_invoices"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveBillingInvoices]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_document"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveDocument]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_document_template"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_document_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveDocumentTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["archive_folders"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveFolders]) -> Any: ...
    @overload
    def call(self, action: Literal["assign_organization_policies"], /, *, confirm: bool = ..., **inputs: Unpack[AssignOrganizationPolicies]) -> Any: ...
    @overload
    def call(self, action: Literal["attach_file_to_entity"], /, *, confirm: bool = ..., **inputs: Unpack[AttachFileToEntity]) -> Any: ...
    @overload
    def call(self, action: Literal["cancel_maintenance"], /, *, confirm: bool = ..., **inputs: Unpack[CancelMaintenance]) -> Any: ...
    @overload
    def call(self, action: Literal["configure_webhook"], /, *, confirm: bool = ..., **inputs: Unpack[ConfigureWebhook]) -> Any: ...
    @overload
    def call(self, action: Literal["configure_windows_service"], /, *, confirm: bool = ..., **inputs: Unpack[ConfigureWindowsService]) -> Any: ...
    @overload
    def call(self, action: Literal["control_windows_service"], /, *, confirm: bool = ..., **inputs: Unpack[ControlWindowsService]) -> Any: ...
    @overload
    def call(self, action: Literal["create_ad_hoc_ticket_product"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAdHocTicketProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["create_articles"], /, *, confirm: bool = ..., **inputs: Unpack[CreateArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset_relationship"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAssetRelationship]) -> Any: ...
    @overload
    def call(self, action: Literal["create_asset_relationship_type"], /, *, confirm: bool = ..., **inputs: Unpack[CreateAssetRelationshipType]) -> Any: ...
    @overload
    def call(self, action: Literal["create_billing_account"], /, *, confirm: bool = ..., **inputs: Unpack[CreateBillingAccount]) -> Any: ...
    @overload
    def call(self, action: Literal["create_billing_agreement"], /, *, confirm: bool = ..., **inputs: Unpack[CreateBillingAgreement]) -> Any: ...
    @overload
    def call(self, action: Literal["create_billing_invoice"], /, *, confirm: bool = ..., **inputs: Unpack[CreateBillingInvoice]) -> Any: ...
    @overload
    def call(self, action: Literal["create_billing_product"], /, *, confirm: bool = ..., **inputs: Unpack[CreateBillingProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["create_catalog_ticket_product"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCatalogTicketProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["create_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["create_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["create_checklists_from_templates"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklistsFromTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["create_contact"], /, *, confirm: bool = ..., **inputs: Unpack[CreateContact]) -> Any: ...
    @overload
    def call(self, action: Literal["create_custom_field_condition"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCustomFieldCondition]) -> Any: ...
    @overload
    def call(self, action: Literal["create_custom_field_definition"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCustomFieldDefinition]) -> Any: ...
    @overload
    def call(self, action: Literal["create_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCustomFieldDefinitions]) -> Any: ...
    @overload
    def call(self, action: Literal["create_custom_tab"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCustomTab]) -> Any: ...
    @overload
    def call(self, action: Literal["create_document"], /, *, confirm: bool = ..., **inputs: Unpack[CreateDocument]) -> Any: ...
    @overload
    def call(self, action: Literal["create_document_template"], /, *, confirm: bool = ..., **inputs: Unpack[CreateDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["create_documents"], /, *, confirm: bool = ..., **inputs: Unpack[CreateDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["create_end_user"], /, *, confirm: bool = ..., **inputs: Unpack[CreateEndUser]) -> Any: ...
    @overload
    def call(self, action: Literal["create_integrity_check_job"], /, *, confirm: bool = ..., **inputs: Unpack[CreateIntegrityCheckJob]) -> Any: ...
    @overload
    def call(self, action: Literal["create_location"], /, *, confirm: bool = ..., **inputs: Unpack[CreateLocation]) -> Any: ...
    @overload
    def call(self, action: Literal["create_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[CreateNodeRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["create_organization"], /, *, confirm: bool = ..., **inputs: Unpack[CreateOrganization]) -> Any: ...
    @overload
    def call(self, action: Literal["create_policy"], /, *, confirm: bool = ..., **inputs: Unpack[CreatePolicy]) -> Any: ...
    @overload
    def call(self, action: Literal["create_secure_related_item"], /, *, confirm: bool = ..., **inputs: Unpack[CreateSecureRelatedItem]) -> Any: ...
    @overload
    def call(self, action: Literal["create_software_license"], /, *, confirm: bool = ..., **inputs: Unpack[CreateSoftwareLicense]) -> Any: ...
    @overload
    def call(self, action: Literal["create_staged_device"], /, *, confirm: bool = ..., **inputs: Unpack[CreateStagedDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["create_tag"], /, *, confirm: bool = ..., **inputs: Unpack[CreateTag]) -> Any: ...
    @overload
    def call(self, action: Literal["create_technician"], /, *, confirm: bool = ..., **inputs: Unpack[CreateTechnician]) -> Any: ...
    @overload
    def call(self, action: Literal["create_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[CreateTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["create_unmanaged_device"], /, *, confirm: bool = ..., **inputs: Unpack[CreateUnmanagedDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["create_windows_event_condition"], /, *, confirm: bool = ..., **inputs: Unpack[CreateWindowsEventCondition]) -> Any: ...
    @overload
    def call(self, action: Literal["deactivate_billing_agreement"], /, *, confirm: bool = ..., **inputs: Unpack[DeactivateBillingAgreement]) -> Any: ...
    @overload
    def call(self, action: Literal["deactivate_billing_product"], /, *, confirm: bool = ..., **inputs: Unpack[DeactivateBillingProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["decommission_device"], /, *, confirm: Literal[True], **inputs: Unpack[DecommissionDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["decommission_unmanaged_device"], /, *, confirm: Literal[True], **inputs: Unpack[DecommissionUnmanagedDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["decommission_unmanaged_devices"], /, *, confirm: Literal[True], **inputs: Unpack[DecommissionUnmanagedDevices]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_articles"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_asset_relationship"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteAssetRelationship]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_billing_account"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteBillingAccount]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_checklist"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteChecklist]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_checklist_template"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteChecklistTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_checklist_templates"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_checklists"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_contact"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteContact]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_custom_field_definition"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteCustomFieldDefinition]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_custom_field_definitions"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteCustomFieldDefinitions]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_custom_tab"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteCustomTab]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_document"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteDocument]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_document_template"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_end_user"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteEndUser]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_entity_related_items"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteEntityRelatedItems]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_folders"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteFolders]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_node_roles"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteNodeRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_policy_condition"], /, *, confirm: Literal[True], **inputs: Unpack[DeletePolicyCondition]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_related_item"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteRelatedItem]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_software_license"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteSoftwareLicense]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_tag"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteTag]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_tags"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteTags]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_technician"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteTechnician]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_ticket_products"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteTicketProducts]) -> Any: ...
    @overload
    def call(self, action: Literal["delete_unmanaged_device"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteUnmanagedDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["disable_webhook"], /, *, confirm: bool = ..., **inputs: Unpack[DisableWebhook]) -> Any: ...
    @overload
    def call(self, action: Literal["download_article"], /, *, confirm: bool = ..., **inputs: Unpack[DownloadArticle]) -> Any: ...
    @overload
    def call(self, action: Literal["download_related_item_attachment"], /, *, confirm: bool = ..., **inputs: Unpack[DownloadRelatedItemAttachment]) -> Any: ...
    @overload
    def call(self, action: Literal["export_billing_invoices"], /, *, confirm: bool = ..., **inputs: Unpack[ExportBillingInvoices]) -> Any: ...
    @overload
    def call(self, action: Literal["generate_installer"], /, *, confirm: bool = ..., **inputs: Unpack[GenerateInstaller]) -> Any: ...
    @overload
    def call(self, action: Literal["get_article_signed_urls"], /, *, confirm: bool = ..., **inputs: Unpack[GetArticleSignedUrls]) -> Any: ...
    @overload
    def call(self, action: Literal["get_billing_account"], /, *, confirm: bool = ..., **inputs: Unpack[GetBillingAccount]) -> Any: ...
    @overload
    def call(self, action: Literal["get_billing_agreement"], /, *, confirm: bool = ..., **inputs: Unpack[GetBillingAgreement]) -> Any: ...
    @overload
    def call(self, action: Literal["get_billing_invoice"], /, *, confirm: bool = ..., **inputs: Unpack[GetBillingInvoice]) -> Any: ...
    @overload
    def call(self, action: Literal["get_billing_product"], /, *, confirm: bool = ..., **inputs: Unpack[GetBillingProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["get_checklist"], /, *, confirm: bool = ..., **inputs: Unpack[GetChecklist]) -> Any: ...
    @overload
    def call(self, action: Literal["get_checklist_signed_urls"], /, *, confirm: bool = ..., **inputs: Unpack[GetChecklistSignedUrls]) -> Any: ...
    @overload
    def call(self, action: Literal["get_contact"], /, *, confirm: bool = ..., **inputs: Unpack[GetContact]) -> Any: ...
    @overload
    def call(self, action: Literal["get_custom_field_condition"], /, *, confirm: bool = ..., **inputs: Unpack[GetCustomFieldCondition]) -> Any: ...
    @overload
    def call(self, action: Literal["get_custom_field_definition"], /, *, confirm: bool = ..., **inputs: Unpack[GetCustomFieldDefinition]) -> Any: ...
    @overload
    def call(self, action: Literal["get_custom_field_signed_urls"], /, *, confirm: bool = ..., **inputs: Unpack[GetCustomFieldSignedUrls]) -> Any: ...
    @overload
    def call(self, action: Literal["get_custom_tab"], /, *, confirm: bool = ..., **inputs: Unpack[GetCustomTab]) -> Any: ...
    @overload
    def call(self, action: Literal["get_device"], /, *, confirm: bool = ..., **inputs: Unpack[GetDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["get_device_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[GetDeviceCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["get_device_last_logged_on_user"], /, *, confirm: bool = ..., **inputs: Unpack[GetDeviceLastLoggedOnUser]) -> Any: ...
    @overload
    def call(self, action: Literal["get_device_link"], /, *, confirm: bool = ..., **inputs: Unpack[GetDeviceLink]) -> Any: ...
    @overload
    def call(self, action: Literal["get_device_policy_overrides"], /, *, confirm: bool = ..., **inputs: Unpack[GetDevicePolicyOverrides]) -> Any: ...
    @overload
    def call(self, action: Literal["get_document_signed_urls"], /, *, confirm: bool = ..., **inputs: Unpack[GetDocumentSignedUrls]) -> Any: ...
    @overload
    def call(self, action: Literal["get_document_template"], /, *, confirm: bool = ..., **inputs: Unpack[GetDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["get_end_user"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUser]) -> Any: ...
    @overload
    def call(self, action: Literal["get_end_user_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUserCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["get_end_user_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUserTabHierarchy]) -> Any: ...
    @overload
    def call(self, action: Literal["get_end_user_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUserTabSummary]) -> Any: ...
    @overload
    def call(self, action: Literal["get_folder"], /, *, confirm: bool = ..., **inputs: Unpack[GetFolder]) -> Any: ...
    @overload
    def call(self, action: Literal["get_folder_by_path"], /, *, confirm: bool = ..., **inputs: Unpack[GetFolderByPath]) -> Any: ...
    @overload
    def call(self, action: Literal["get_global_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetGlobalTabSummary]) -> Any: ...
    @overload
    def call(self, action: Literal["get_location_backup_usage"], /, *, confirm: bool = ..., **inputs: Unpack[GetLocationBackupUsage]) -> Any: ...
    @overload
    def call(self, action: Literal["get_location_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[GetLocationCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["get_location_installer"], /, *, confirm: bool = ..., **inputs: Unpack[GetLocationInstaller]) -> Any: ...
    @overload
    def call(self, action: Literal["get_organization"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganization]) -> Any: ...
    @overload
    def call(self, action: Literal["get_organization_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganizationCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["get_organization_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganizationTabHierarchy]) -> Any: ...
    @overload
    def call(self, action: Literal["get_organization_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganizationTabSummary]) -> Any: ...
    @overload
    def call(self, action: Literal["get_related_item_signed_urls"], /, *, confirm: bool = ..., **inputs: Unpack[GetRelatedItemSignedUrls]) -> Any: ...
    @overload
    def call(self, action: Literal["get_role_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetRoleTabHierarchy]) -> Any: ...
    @overload
    def call(self, action: Literal["get_role_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetRoleTabSummary]) -> Any: ...
    @overload
    def call(self, action: Literal["get_scan_group"], /, *, confirm: bool = ..., **inputs: Unpack[GetScanGroup]) -> Any: ...
    @overload
    def call(self, action: Literal["get_software_license"], /, *, confirm: bool = ..., **inputs: Unpack[GetSoftwareLicense]) -> Any: ...
    @overload
    def call(self, action: Literal["get_system_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[GetSystemCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["get_technician"], /, *, confirm: bool = ..., **inputs: Unpack[GetTechnician]) -> Any: ...
    @overload
    def call(self, action: Literal["get_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[GetTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["get_ticket_form"], /, *, confirm: bool = ..., **inputs: Unpack[GetTicketForm]) -> Any: ...
    @overload
    def call(self, action: Literal["get_windows_event_condition"], /, *, confirm: bool = ..., **inputs: Unpack[GetWindowsEventCondition]) -> Any: ...
    @overload
    def call(self, action: Literal["list_active_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListActiveJobs]) -> Any: ...
    @overload
    def call(self, action: Literal["list_activities"], /, *, confirm: bool = ..., **inputs: Unpack[ListActivities]) -> Any: ...
    @overload
    def call(self, action: Literal["list_alerts"], /, *, confirm: bool = ..., **inputs: Unpack[ListAlerts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_relationship_types"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetRelationshipTypes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_asset_relationships"], /, *, confirm: bool = ..., **inputs: Unpack[ListAssetRelationships]) -> Any: ...
    @overload
    def call(self, action: Literal["list_automation_scripts"], /, *, confirm: bool = ..., **inputs: Unpack[ListAutomationScripts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_backup_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListBackupJobs]) -> Any: ...
    @overload
    def call(self, action: Literal["list_billing_accounts"], /, *, confirm: bool = ..., **inputs: Unpack[ListBillingAccounts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_billing_agreements"], /, *, confirm: bool = ..., **inputs: Unpack[ListBillingAgreements]) -> Any: ...
    @overload
    def call(self, action: Literal["list_billing_invoices"], /, *, confirm: bool = ..., **inputs: Unpack[ListBillingInvoices]) -> Any: ...
    @overload
    def call(self, action: Literal["list_billing_products"], /, *, confirm: bool = ..., **inputs: Unpack[ListBillingProducts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ListChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["list_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[ListChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["list_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListContacts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_custom_field_conditions"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFieldConditions]) -> Any: ...
    @overload
    def call(self, action: Literal["list_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFieldDefinitions]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_active_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceActiveJobs]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_activities"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceActivities]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_alerts"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceAlerts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_disks"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceDisks]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_geolocation_history"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceGeolocationHistory]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_network_interfaces"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceNetworkInterfaces]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_os_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceOsPatchInstalls]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceOsPatches]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_processors"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceProcessors]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_software"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftware]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_software_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftwarePatchInstalls]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftwarePatches]) -> Any: ...
    @overload
    def call(self, action: Literal["list_device_volumes"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceVolumes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_devices"], /, *, confirm: bool = ..., **inputs: Unpack[ListDevices]) -> Any: ...
    @overload
    def call(self, action: Literal["list_devices_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ListDevicesDetailed]) -> Any: ...
    @overload
    def call(self, action: Literal["list_document_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ListDocumentTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["list_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ListDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["list_enabled_notification_channels"], /, *, confirm: bool = ..., **inputs: Unpack[ListEnabledNotificationChannels]) -> Any: ...
    @overload
    def call(self, action: Literal["list_end_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListEndUsers]) -> Any: ...
    @overload
    def call(self, action: Literal["list_entity_asset_relationships"], /, *, confirm: bool = ..., **inputs: Unpack[ListEntityAssetRelationships]) -> Any: ...
    @overload
    def call(self, action: Literal["list_entity_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListEntityRelatedItems]) -> Any: ...
    @overload
    def call(self, action: Literal["list_entity_type_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListEntityTypeRelatedItems]) -> Any: ...
    @overload
    def call(self, action: Literal["list_global_articles"], /, *, confirm: bool = ..., **inputs: Unpack[ListGlobalArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["list_global_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListGlobalCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["list_group_device_ids"], /, *, confirm: bool = ..., **inputs: Unpack[ListGroupDeviceIds]) -> Any: ...
    @overload
    def call(self, action: Literal["list_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListGroups]) -> Any: ...
    @overload
    def call(self, action: Literal["list_integrity_check_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListIntegrityCheckJobs]) -> Any: ...
    @overload
    def call(self, action: Literal["list_items_related_to_entity"], /, *, confirm: bool = ..., **inputs: Unpack[ListItemsRelatedToEntity]) -> Any: ...
    @overload
    def call(self, action: Literal["list_items_related_to_entity_type"], /, *, confirm: bool = ..., **inputs: Unpack[ListItemsRelatedToEntityType]) -> Any: ...
    @overload
    def call(self, action: Literal["list_location_backup_usage"], /, *, confirm: bool = ..., **inputs: Unpack[ListLocationBackupUsage]) -> Any: ...
    @overload
    def call(self, action: Literal["list_locations"], /, *, confirm: bool = ..., **inputs: Unpack[ListLocations]) -> Any: ...
    @overload
    def call(self, action: Literal["list_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListNodeRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["list_notification_channels"], /, *, confirm: bool = ..., **inputs: Unpack[ListNotificationChannels]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organization_articles"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organization_devices"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationDevices]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organization_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organization_end_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationEndUsers]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organization_locations"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationLocations]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organizations"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizations]) -> Any: ...
    @overload
    def call(self, action: Literal["list_organizations_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationsDetailed]) -> Any: ...
    @overload
    def call(self, action: Literal["list_policies"], /, *, confirm: bool = ..., **inputs: Unpack[ListPolicies]) -> Any: ...
    @overload
    def call(self, action: Literal["list_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListRelatedItems]) -> Any: ...
    @overload
    def call(self, action: Literal["list_scan_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListScanGroups]) -> Any: ...
    @overload
    def call(self, action: Literal["list_scheduled_tasks"], /, *, confirm: bool = ..., **inputs: Unpack[ListScheduledTasks]) -> Any: ...
    @overload
    def call(self, action: Literal["list_scripting_options"], /, *, confirm: bool = ..., **inputs: Unpack[ListScriptingOptions]) -> Any: ...
    @overload
    def call(self, action: Literal["list_software_license_assignments"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareLicenseAssignments]) -> Any: ...
    @overload
    def call(self, action: Literal["list_software_licenses"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareLicenses]) -> Any: ...
    @overload
    def call(self, action: Literal["list_software_products"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareProducts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_tags"], /, *, confirm: bool = ..., **inputs: Unpack[ListTags]) -> Any: ...
    @overload
    def call(self, action: Literal["list_technicians"], /, *, confirm: bool = ..., **inputs: Unpack[ListTechnicians]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_attributes"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketAttributes]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_boards"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketBoards]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketContacts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_forms"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketForms]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_log_entries"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketLogEntries]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_products"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketProducts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_statuses"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketStatuses]) -> Any: ...
    @overload
    def call(self, action: Literal["list_ticket_users_and_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketUsersAndContacts]) -> Any: ...
    @overload
    def call(self, action: Literal["list_user_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListUserRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["list_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListUsers]) -> Any: ...
    @overload
    def call(self, action: Literal["list_windows_event_conditions"], /, *, confirm: bool = ..., **inputs: Unpack[ListWindowsEventConditions]) -> Any: ...
    @overload
    def call(self, action: Literal["list_windows_services"], /, *, confirm: bool = ..., **inputs: Unpack[ListWindowsServices]) -> Any: ...
    @overload
    def call(self, action: Literal["merge_tags"], /, *, confirm: Literal[True], **inputs: Unpack[MergeTags]) -> Any: ...
    @overload
    def call(self, action: Literal["move_folders_and_articles"], /, *, confirm: bool = ..., **inputs: Unpack[MoveFoldersAndArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["order_end_user_tabs"], /, *, confirm: bool = ..., **inputs: Unpack[OrderEndUserTabs]) -> Any: ...
    @overload
    def call(self, action: Literal["order_global_tabs"], /, *, confirm: bool = ..., **inputs: Unpack[OrderGlobalTabs]) -> Any: ...
    @overload
    def call(self, action: Literal["order_organization_tabs"], /, *, confirm: bool = ..., **inputs: Unpack[OrderOrganizationTabs]) -> Any: ...
    @overload
    def call(self, action: Literal["order_role_tabs"], /, *, confirm: bool = ..., **inputs: Unpack[OrderRoleTabs]) -> Any: ...
    @overload
    def call(self, action: Literal["promote_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[PromoteChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["promote_checklists_with_names"], /, *, confirm: bool = ..., **inputs: Unpack[PromoteChecklistsWithNames]) -> Any: ...
    @overload
    def call(self, action: Literal["reboot_device"], /, *, confirm: Literal[True], **inputs: Unpack[RebootDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["relate_item"], /, *, confirm: bool = ..., **inputs: Unpack[RelateItem]) -> Any: ...
    @overload
    def call(self, action: Literal["relate_items"], /, *, confirm: bool = ..., **inputs: Unpack[RelateItems]) -> Any: ...
    @overload
    def call(self, action: Literal["remove_device_owner"], /, *, confirm: bool = ..., **inputs: Unpack[RemoveDeviceOwner]) -> Any: ...
    @overload
    def call(self, action: Literal["remove_role_members"], /, *, confirm: bool = ..., **inputs: Unpack[RemoveRoleMembers]) -> Any: ...
    @overload
    def call(self, action: Literal["rename_custom_tab"], /, *, confirm: bool = ..., **inputs: Unpack[RenameCustomTab]) -> Any: ...
    @overload
    def call(self, action: Literal["report_antivirus_status"], /, *, confirm: bool = ..., **inputs: Unpack[ReportAntivirusStatus]) -> Any: ...
    @overload
    def call(self, action: Literal["report_antivirus_threats"], /, *, confirm: bool = ..., **inputs: Unpack[ReportAntivirusThreats]) -> Any: ...
    @overload
    def call(self, action: Literal["report_backup_usage"], /, *, confirm: bool = ..., **inputs: Unpack[ReportBackupUsage]) -> Any: ...
    @overload
    def call(self, action: Literal["report_computer_systems"], /, *, confirm: bool = ..., **inputs: Unpack[ReportComputerSystems]) -> Any: ...
    @overload
    def call(self, action: Literal["report_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ReportCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["report_custom_fields_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ReportCustomFieldsDetailed]) -> Any: ...
    @overload
    def call(self, action: Literal["report_device_health"], /, *, confirm: bool = ..., **inputs: Unpack[ReportDeviceHealth]) -> Any: ...
    @overload
    def call(self, action: Literal["report_disks"], /, *, confirm: bool = ..., **inputs: Unpack[ReportDisks]) -> Any: ...
    @overload
    def call(self, action: Literal["report_logged_on_users"], /, *, confirm: bool = ..., **inputs: Unpack[ReportLoggedOnUsers]) -> Any: ...
    @overload
    def call(self, action: Literal["report_network_interfaces"], /, *, confirm: bool = ..., **inputs: Unpack[ReportNetworkInterfaces]) -> Any: ...
    @overload
    def call(self, action: Literal["report_operating_systems"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOperatingSystems]) -> Any: ...
    @overload
    def call(self, action: Literal["report_os_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOsPatchInstalls]) -> Any: ...
    @overload
    def call(self, action: Literal["report_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOsPatches]) -> Any: ...
    @overload
    def call(self, action: Literal["report_policy_overrides"], /, *, confirm: bool = ..., **inputs: Unpack[ReportPolicyOverrides]) -> Any: ...
    @overload
    def call(self, action: Literal["report_processors"], /, *, confirm: bool = ..., **inputs: Unpack[ReportProcessors]) -> Any: ...
    @overload
    def call(self, action: Literal["report_raid_controllers"], /, *, confirm: bool = ..., **inputs: Unpack[ReportRaidControllers]) -> Any: ...
    @overload
    def call(self, action: Literal["report_raid_drives"], /, *, confirm: bool = ..., **inputs: Unpack[ReportRaidDrives]) -> Any: ...
    @overload
    def call(self, action: Literal["report_scoped_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ReportScopedCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["report_scoped_custom_fields_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ReportScopedCustomFieldsDetailed]) -> Any: ...
    @overload
    def call(self, action: Literal["report_software"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftware]) -> Any: ...
    @overload
    def call(self, action: Literal["report_software_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftwarePatchInstalls]) -> Any: ...
    @overload
    def call(self, action: Literal["report_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftwarePatches]) -> Any: ...
    @overload
    def call(self, action: Literal["report_volumes"], /, *, confirm: bool = ..., **inputs: Unpack[ReportVolumes]) -> Any: ...
    @overload
    def call(self, action: Literal["report_windows_services"], /, *, confirm: bool = ..., **inputs: Unpack[ReportWindowsServices]) -> Any: ...
    @overload
    def call(self, action: Literal["reset_alert"], /, *, confirm: Literal[True], **inputs: Unpack[ResetAlert]) -> Any: ...
    @overload
    def call(self, action: Literal["reset_alert_with_data"], /, *, confirm: Literal[True], **inputs: Unpack[ResetAlertWithData]) -> Any: ...
    @overload
    def call(self, action: Literal["reset_device_policy_overrides"], /, *, confirm: Literal[True], **inputs: Unpack[ResetDevicePolicyOverrides]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_articles"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_document"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreDocument]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_document_template"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_document_templates"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreDocumentTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_documents"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["restore_folders"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreFolders]) -> Any: ...
    @overload
    def call(self, action: Literal["run_script"], /, *, confirm: bool = ..., **inputs: Unpack[RunScript]) -> Any: ...
    @overload
    def call(self, action: Literal["run_ticket_board"], /, *, confirm: bool = ..., **inputs: Unpack[RunTicketBoard]) -> Any: ...
    @overload
    def call(self, action: Literal["scan_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ScanOsPatches]) -> Any: ...
    @overload
    def call(self, action: Literal["scan_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ScanSoftwarePatches]) -> Any: ...
    @overload
    def call(self, action: Literal["schedule_maintenance"], /, *, confirm: bool = ..., **inputs: Unpack[ScheduleMaintenance]) -> Any: ...
    @overload
    def call(self, action: Literal["search_devices"], /, *, confirm: bool = ..., **inputs: Unpack[SearchDevices]) -> Any: ...
    @overload
    def call(self, action: Literal["set_asset_tags"], /, *, confirm: bool = ..., **inputs: Unpack[SetAssetTags]) -> Any: ...
    @overload
    def call(self, action: Literal["set_backup_bandwidth_throttle"], /, *, confirm: bool = ..., **inputs: Unpack[SetBackupBandwidthThrottle]) -> Any: ...
    @overload
    def call(self, action: Literal["set_device_owner"], /, *, confirm: bool = ..., **inputs: Unpack[SetDeviceOwner]) -> Any: ...
    @overload
    def call(self, action: Literal["set_role_tab_visibility"], /, *, confirm: bool = ..., **inputs: Unpack[SetRoleTabVisibility]) -> Any: ...
    @overload
    def call(self, action: Literal["unarchive_billing_invoices"], /, *, confirm: bool = ..., **inputs: Unpack[UnarchiveBillingInvoices]) -> Any: ...
    @overload
    def call(self, action: Literal["update_articles"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["update_asset_tags"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateAssetTags]) -> Any: ...
    @overload
    def call(self, action: Literal["update_billing_account"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateBillingAccount]) -> Any: ...
    @overload
    def call(self, action: Literal["update_billing_agreement"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateBillingAgreement]) -> Any: ...
    @overload
    def call(self, action: Literal["update_billing_invoice"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateBillingInvoice]) -> Any: ...
    @overload
    def call(self, action: Literal["update_billing_invoice_note"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateBillingInvoiceNote]) -> Any: ...
    @overload
    def call(self, action: Literal["update_billing_product"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateBillingProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["update_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateChecklistTemplates]) -> Any: ...
    @overload
    def call(self, action: Literal["update_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateChecklists]) -> Any: ...
    @overload
    def call(self, action: Literal["update_contact"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateContact]) -> Any: ...
    @overload
    def call(self, action: Literal["update_custom_field_definition"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateCustomFieldDefinition]) -> Any: ...
    @overload
    def call(self, action: Literal["update_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateCustomFieldDefinitions]) -> Any: ...
    @overload
    def call(self, action: Literal["update_custom_tab"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateCustomTab]) -> Any: ...
    @overload
    def call(self, action: Literal["update_device"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["update_device_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDeviceCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["update_document"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDocument]) -> Any: ...
    @overload
    def call(self, action: Literal["update_document_template"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDocumentTemplate]) -> Any: ...
    @overload
    def call(self, action: Literal["update_documents"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDocuments]) -> Any: ...
    @overload
    def call(self, action: Literal["update_end_user"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateEndUser]) -> Any: ...
    @overload
    def call(self, action: Literal["update_end_user_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateEndUserCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["update_end_user_device_access"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateEndUserDeviceAccess]) -> Any: ...
    @overload
    def call(self, action: Literal["update_license_last_usage"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateLicenseLastUsage]) -> Any: ...
    @overload
    def call(self, action: Literal["update_location"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateLocation]) -> Any: ...
    @overload
    def call(self, action: Literal["update_location_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateLocationCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["update_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateNodeRoles]) -> Any: ...
    @overload
    def call(self, action: Literal["update_organization"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateOrganization]) -> Any: ...
    @overload
    def call(self, action: Literal["update_organization_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateOrganizationCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["update_role_organization_permissions"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateRoleOrganizationPermissions]) -> Any: ...
    @overload
    def call(self, action: Literal["update_software_license"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateSoftwareLicense]) -> Any: ...
    @overload
    def call(self, action: Literal["update_system_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateSystemCustomFields]) -> Any: ...
    @overload
    def call(self, action: Literal["update_tag"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTag]) -> Any: ...
    @overload
    def call(self, action: Literal["update_technician"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTechnician]) -> Any: ...
    @overload
    def call(self, action: Literal["update_ticket"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTicket]) -> Any: ...
    @overload
    def call(self, action: Literal["update_ticket_product"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTicketProduct]) -> Any: ...
    @overload
    def call(self, action: Literal["update_ticket_time_entry"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateTicketTimeEntry]) -> Any: ...
    @overload
    def call(self, action: Literal["update_unmanaged_device"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateUnmanagedDevice]) -> Any: ...
    @overload
    def call(self, action: Literal["upload_articles"], /, *, confirm: bool = ..., **inputs: Unpack[UploadArticles]) -> Any: ...
    @overload
    def call(self, action: Literal["upload_scan_group_csv"], /, *, confirm: bool = ..., **inputs: Unpack[UploadScanGroupCsv]) -> Any: ...
    @overload
    def call(self, action: Literal["upload_temporary_attachments"], /, *, confirm: bool = ..., **inputs: Unpack[UploadTemporaryAttachments]) -> Any: ...
    @overload
    def call(self, action: Literal["upsert_software_license"], /, *, confirm: bool = ..., **inputs: Unpack[UpsertSoftwareLicense]) -> Any: ...
    @overload  # type: ignore[override]
    def each(self, action: Literal["archive_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveChecklistTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["archive_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveChecklists]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["archive_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ArchiveDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["assign_organization_policies"], /, *, confirm: bool = ..., **inputs: Unpack[AssignOrganizationPolicies]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_articles"], /, *, confirm: bool = ..., **inputs: Unpack[CreateArticles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklistTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklists]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_checklists_from_templates"], /, *, confirm: bool = ..., **inputs: Unpack[CreateChecklistsFromTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[CreateCustomFieldDefinitions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_documents"], /, *, confirm: bool = ..., **inputs: Unpack[CreateDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["create_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[CreateNodeRoles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["delete_custom_field_definitions"], /, *, confirm: Literal[True], **inputs: Unpack[DeleteCustomFieldDefinitions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_end_user_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUserTabHierarchy]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_end_user_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetEndUserTabSummary]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_global_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetGlobalTabSummary]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_organization_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganizationTabHierarchy]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_organization_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetOrganizationTabSummary]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_role_tab_hierarchy"], /, *, confirm: bool = ..., **inputs: Unpack[GetRoleTabHierarchy]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["get_role_tab_summary"], /, *, confirm: bool = ..., **inputs: Unpack[GetRoleTabSummary]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_active_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListActiveJobs]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_activities"], /, *, confirm: bool = ..., **inputs: Unpack[ListActivities]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_alerts"], /, *, confirm: bool = ..., **inputs: Unpack[ListAlerts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_automation_scripts"], /, *, confirm: bool = ..., **inputs: Unpack[ListAutomationScripts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_backup_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListBackupJobs]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ListChecklistTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[ListChecklists]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListContacts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_custom_field_conditions"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFieldConditions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[ListCustomFieldDefinitions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_active_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceActiveJobs]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_activities"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceActivities]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_alerts"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceAlerts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_disks"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceDisks]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_geolocation_history"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceGeolocationHistory]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_network_interfaces"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceNetworkInterfaces]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_os_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceOsPatchInstalls]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceOsPatches]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_processors"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceProcessors]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceRoles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_software"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftware]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_software_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftwarePatchInstalls]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceSoftwarePatches]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_device_volumes"], /, *, confirm: bool = ..., **inputs: Unpack[ListDeviceVolumes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_devices"], /, *, confirm: bool = ..., **inputs: Unpack[ListDevices]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_devices_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ListDevicesDetailed]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_document_templates"], /, *, confirm: bool = ..., **inputs: Unpack[ListDocumentTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ListDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_enabled_notification_channels"], /, *, confirm: bool = ..., **inputs: Unpack[ListEnabledNotificationChannels]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_end_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListEndUsers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_entity_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListEntityRelatedItems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_entity_type_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListEntityTypeRelatedItems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_global_articles"], /, *, confirm: bool = ..., **inputs: Unpack[ListGlobalArticles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_global_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ListGlobalCustomFields]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_group_device_ids"], /, *, confirm: bool = ..., **inputs: Unpack[ListGroupDeviceIds]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListGroups]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_integrity_check_jobs"], /, *, confirm: bool = ..., **inputs: Unpack[ListIntegrityCheckJobs]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_items_related_to_entity"], /, *, confirm: bool = ..., **inputs: Unpack[ListItemsRelatedToEntity]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_items_related_to_entity_type"], /, *, confirm: bool = ..., **inputs: Unpack[ListItemsRelatedToEntityType]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_location_backup_usage"], /, *, confirm: bool = ..., **inputs: Unpack[ListLocationBackupUsage]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_locations"], /, *, confirm: bool = ..., **inputs: Unpack[ListLocations]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListNodeRoles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_notification_channels"], /, *, confirm: bool = ..., **inputs: Unpack[ListNotificationChannels]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organization_articles"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationArticles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organization_devices"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationDevices]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organization_documents"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organization_end_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationEndUsers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organization_locations"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationLocations]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organizations"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizations]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_organizations_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ListOrganizationsDetailed]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_policies"], /, *, confirm: bool = ..., **inputs: Unpack[ListPolicies]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_related_items"], /, *, confirm: bool = ..., **inputs: Unpack[ListRelatedItems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_scan_groups"], /, *, confirm: bool = ..., **inputs: Unpack[ListScanGroups]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_scheduled_tasks"], /, *, confirm: bool = ..., **inputs: Unpack[ListScheduledTasks]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_software_products"], /, *, confirm: bool = ..., **inputs: Unpack[ListSoftwareProducts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_technicians"], /, *, confirm: bool = ..., **inputs: Unpack[ListTechnicians]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_attributes"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketAttributes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_boards"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketBoards]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketContacts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_forms"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketForms]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_log_entries"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketLogEntries]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_statuses"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketStatuses]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_ticket_users_and_contacts"], /, *, confirm: bool = ..., **inputs: Unpack[ListTicketUsersAndContacts]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_user_roles"], /, *, confirm: bool = ..., **inputs: Unpack[ListUserRoles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_users"], /, *, confirm: bool = ..., **inputs: Unpack[ListUsers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_windows_event_conditions"], /, *, confirm: bool = ..., **inputs: Unpack[ListWindowsEventConditions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["list_windows_services"], /, *, confirm: bool = ..., **inputs: Unpack[ListWindowsServices]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["relate_items"], /, *, confirm: bool = ..., **inputs: Unpack[RelateItems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_antivirus_status"], /, *, confirm: bool = ..., **inputs: Unpack[ReportAntivirusStatus]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_antivirus_threats"], /, *, confirm: bool = ..., **inputs: Unpack[ReportAntivirusThreats]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_backup_usage"], /, *, confirm: bool = ..., **inputs: Unpack[ReportBackupUsage]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_computer_systems"], /, *, confirm: bool = ..., **inputs: Unpack[ReportComputerSystems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ReportCustomFields]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_custom_fields_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ReportCustomFieldsDetailed]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_device_health"], /, *, confirm: bool = ..., **inputs: Unpack[ReportDeviceHealth]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_disks"], /, *, confirm: bool = ..., **inputs: Unpack[ReportDisks]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_logged_on_users"], /, *, confirm: bool = ..., **inputs: Unpack[ReportLoggedOnUsers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_network_interfaces"], /, *, confirm: bool = ..., **inputs: Unpack[ReportNetworkInterfaces]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_operating_systems"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOperatingSystems]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_os_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOsPatchInstalls]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_os_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ReportOsPatches]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_policy_overrides"], /, *, confirm: bool = ..., **inputs: Unpack[ReportPolicyOverrides]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_processors"], /, *, confirm: bool = ..., **inputs: Unpack[ReportProcessors]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_raid_controllers"], /, *, confirm: bool = ..., **inputs: Unpack[ReportRaidControllers]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_raid_drives"], /, *, confirm: bool = ..., **inputs: Unpack[ReportRaidDrives]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_scoped_custom_fields"], /, *, confirm: bool = ..., **inputs: Unpack[ReportScopedCustomFields]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_scoped_custom_fields_detailed"], /, *, confirm: bool = ..., **inputs: Unpack[ReportScopedCustomFieldsDetailed]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_software"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftware]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_software_patch_installs"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftwarePatchInstalls]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_software_patches"], /, *, confirm: bool = ..., **inputs: Unpack[ReportSoftwarePatches]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_volumes"], /, *, confirm: bool = ..., **inputs: Unpack[ReportVolumes]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["report_windows_services"], /, *, confirm: bool = ..., **inputs: Unpack[ReportWindowsServices]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["restore_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreChecklistTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["restore_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreChecklists]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["restore_documents"], /, *, confirm: bool = ..., **inputs: Unpack[RestoreDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["run_ticket_board"], /, *, confirm: bool = ..., **inputs: Unpack[RunTicketBoard]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["search_devices"], /, *, confirm: bool = ..., **inputs: Unpack[SearchDevices]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_articles"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateArticles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_checklist_templates"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateChecklistTemplates]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_checklists"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateChecklists]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_custom_field_definitions"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateCustomFieldDefinitions]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_documents"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateDocuments]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["update_node_roles"], /, *, confirm: bool = ..., **inputs: Unpack[UpdateNodeRoles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["upload_articles"], /, *, confirm: bool = ..., **inputs: Unpack[UploadArticles]) -> Iterator[Any]: ...
    @overload
    def each(self, action: Literal["upload_temporary_attachments"], /, *, confirm: bool = ..., **inputs: Unpack[UploadTemporaryAttachments]) -> Iterator[Any]: ...
    @overload  # type: ignore[override]
    def preview(self, action: Literal["activate_billing_product"], /, **inputs: Unpack[ActivateBillingProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["add_role_members"], /, **inputs: Unpack[AddRoleMembers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["add_ticket_comment"], /, **inputs: Unpack[AddTicketComment]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["apply_os_patches"], /, **inputs: Unpack[ApplyOsPatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["apply_software_patches"], /, **inputs: Unpack[ApplySoftwarePatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["approve_billing_invoices"], /, **inputs: Unpack[ApproveBillingInvoices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["approve_devices"], /, **inputs: Unpack[ApproveDevices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_articles"], /, **inputs: Unpack[ArchiveArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_billing_invoices"], /, **inputs: Unpack[ArchiveBillingInvoices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_checklist_templates"], /, **inputs: Unpack[ArchiveChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_checklists"], /, **inputs: Unpack[ArchiveChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_document"], /, **inputs: Unpack[ArchiveDocument]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_document_template"], /, **inputs: Unpack[ArchiveDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_document_templates"], /, **inputs: Unpack[ArchiveDocumentTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_documents"], /, **inputs: Unpack[ArchiveDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["archive_folders"], /, **inputs: Unpack[ArchiveFolders]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["assign_organization_policies"], /, **inputs: Unpack[AssignOrganizationPolicies]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["attach_file_to_entity"], /, **inputs: Unpack[AttachFileToEntity]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["cancel_maintenance"], /, **inputs: Unpack[CancelMaintenance]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["configure_webhook"], /, **inputs: Unpack[ConfigureWebhook]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["configure_windows_service"], /, **inputs: Unpack[ConfigureWindowsService]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["control_windows_service"], /, **inputs: Unpack[ControlWindowsService]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_ad_hoc_ticket_product"], /, **inputs: Unpack[CreateAdHocTicketProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_articles"], /, **inputs: Unpack[CreateArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset_relationship"], /, **inputs: Unpack[CreateAssetRelationship]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_asset_relationship_type"], /, **inputs: Unpack[CreateAssetRelationshipType]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_billing_account"], /, **inputs: Unpack[CreateBillingAccount]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_billing_agreement"], /, **inputs: Unpack[CreateBillingAgreement]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_billing_invoice"], /, **inputs: Unpack[CreateBillingInvoice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_billing_product"], /, **inputs: Unpack[CreateBillingProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_catalog_ticket_product"], /, **inputs: Unpack[CreateCatalogTicketProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_checklist_templates"], /, **inputs: Unpack[CreateChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_checklists"], /, **inputs: Unpack[CreateChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_checklists_from_templates"], /, **inputs: Unpack[CreateChecklistsFromTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_contact"], /, **inputs: Unpack[CreateContact]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_custom_field_condition"], /, **inputs: Unpack[CreateCustomFieldCondition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_custom_field_definition"], /, **inputs: Unpack[CreateCustomFieldDefinition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_custom_field_definitions"], /, **inputs: Unpack[CreateCustomFieldDefinitions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_custom_tab"], /, **inputs: Unpack[CreateCustomTab]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_document"], /, **inputs: Unpack[CreateDocument]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_document_template"], /, **inputs: Unpack[CreateDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_documents"], /, **inputs: Unpack[CreateDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_end_user"], /, **inputs: Unpack[CreateEndUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_integrity_check_job"], /, **inputs: Unpack[CreateIntegrityCheckJob]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_location"], /, **inputs: Unpack[CreateLocation]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_node_roles"], /, **inputs: Unpack[CreateNodeRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_organization"], /, **inputs: Unpack[CreateOrganization]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_policy"], /, **inputs: Unpack[CreatePolicy]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_secure_related_item"], /, **inputs: Unpack[CreateSecureRelatedItem]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_software_license"], /, **inputs: Unpack[CreateSoftwareLicense]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_staged_device"], /, **inputs: Unpack[CreateStagedDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_tag"], /, **inputs: Unpack[CreateTag]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_technician"], /, **inputs: Unpack[CreateTechnician]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_ticket"], /, **inputs: Unpack[CreateTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_unmanaged_device"], /, **inputs: Unpack[CreateUnmanagedDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["create_windows_event_condition"], /, **inputs: Unpack[CreateWindowsEventCondition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["deactivate_billing_agreement"], /, **inputs: Unpack[DeactivateBillingAgreement]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["deactivate_billing_product"], /, **inputs: Unpack[DeactivateBillingProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["decommission_device"], /, **inputs: Unpack[DecommissionDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["decommission_unmanaged_device"], /, **inputs: Unpack[DecommissionUnmanagedDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["decommission_unmanaged_devices"], /, **inputs: Unpack[DecommissionUnmanagedDevices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_articles"], /, **inputs: Unpack[DeleteArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_asset_relationship"], /, **inputs: Unpack[DeleteAssetRelationship]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_billing_account"], /, **inputs: Unpack[DeleteBillingAccount]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_checklist"], /, **inputs: Unpack[DeleteChecklist]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_checklist_template"], /, **inputs: Unpack[DeleteChecklistTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_checklist_templates"], /, **inputs: Unpack[DeleteChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_checklists"], /, **inputs: Unpack[DeleteChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_contact"], /, **inputs: Unpack[DeleteContact]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_custom_field_definition"], /, **inputs: Unpack[DeleteCustomFieldDefinition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_custom_field_definitions"], /, **inputs: Unpack[DeleteCustomFieldDefinitions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_custom_tab"], /, **inputs: Unpack[DeleteCustomTab]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_document"], /, **inputs: Unpack[DeleteDocument]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_document_template"], /, **inputs: Unpack[DeleteDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_end_user"], /, **inputs: Unpack[DeleteEndUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_entity_related_items"], /, **inputs: Unpack[DeleteEntityRelatedItems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_folders"], /, **inputs: Unpack[DeleteFolders]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_node_roles"], /, **inputs: Unpack[DeleteNodeRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_policy_condition"], /, **inputs: Unpack[DeletePolicyCondition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_related_item"], /, **inputs: Unpack[DeleteRelatedItem]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_software_license"], /, **inputs: Unpack[DeleteSoftwareLicense]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_tag"], /, **inputs: Unpack[DeleteTag]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_tags"], /, **inputs: Unpack[DeleteTags]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_technician"], /, **inputs: Unpack[DeleteTechnician]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_ticket_products"], /, **inputs: Unpack[DeleteTicketProducts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["delete_unmanaged_device"], /, **inputs: Unpack[DeleteUnmanagedDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["disable_webhook"], /, **inputs: Unpack[DisableWebhook]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["download_article"], /, **inputs: Unpack[DownloadArticle]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["download_related_item_attachment"], /, **inputs: Unpack[DownloadRelatedItemAttachment]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["export_billing_invoices"], /, **inputs: Unpack[ExportBillingInvoices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["generate_installer"], /, **inputs: Unpack[GenerateInstaller]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_article_signed_urls"], /, **inputs: Unpack[GetArticleSignedUrls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_billing_account"], /, **inputs: Unpack[GetBillingAccount]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_billing_agreement"], /, **inputs: Unpack[GetBillingAgreement]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_billing_invoice"], /, **inputs: Unpack[GetBillingInvoice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_billing_product"], /, **inputs: Unpack[GetBillingProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_checklist"], /, **inputs: Unpack[GetChecklist]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_checklist_signed_urls"], /, **inputs: Unpack[GetChecklistSignedUrls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_contact"], /, **inputs: Unpack[GetContact]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_custom_field_condition"], /, **inputs: Unpack[GetCustomFieldCondition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_custom_field_definition"], /, **inputs: Unpack[GetCustomFieldDefinition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_custom_field_signed_urls"], /, **inputs: Unpack[GetCustomFieldSignedUrls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_custom_tab"], /, **inputs: Unpack[GetCustomTab]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_device"], /, **inputs: Unpack[GetDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_device_custom_fields"], /, **inputs: Unpack[GetDeviceCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_device_last_logged_on_user"], /, **inputs: Unpack[GetDeviceLastLoggedOnUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_device_link"], /, **inputs: Unpack[GetDeviceLink]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_device_policy_overrides"], /, **inputs: Unpack[GetDevicePolicyOverrides]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_document_signed_urls"], /, **inputs: Unpack[GetDocumentSignedUrls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_document_template"], /, **inputs: Unpack[GetDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_end_user"], /, **inputs: Unpack[GetEndUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_end_user_custom_fields"], /, **inputs: Unpack[GetEndUserCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_end_user_tab_hierarchy"], /, **inputs: Unpack[GetEndUserTabHierarchy]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_end_user_tab_summary"], /, **inputs: Unpack[GetEndUserTabSummary]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_folder"], /, **inputs: Unpack[GetFolder]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_folder_by_path"], /, **inputs: Unpack[GetFolderByPath]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_global_tab_summary"], /, **inputs: Unpack[GetGlobalTabSummary]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_location_backup_usage"], /, **inputs: Unpack[GetLocationBackupUsage]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_location_custom_fields"], /, **inputs: Unpack[GetLocationCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_location_installer"], /, **inputs: Unpack[GetLocationInstaller]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_organization"], /, **inputs: Unpack[GetOrganization]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_organization_custom_fields"], /, **inputs: Unpack[GetOrganizationCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_organization_tab_hierarchy"], /, **inputs: Unpack[GetOrganizationTabHierarchy]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_organization_tab_summary"], /, **inputs: Unpack[GetOrganizationTabSummary]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_related_item_signed_urls"], /, **inputs: Unpack[GetRelatedItemSignedUrls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_role_tab_hierarchy"], /, **inputs: Unpack[GetRoleTabHierarchy]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_role_tab_summary"], /, **inputs: Unpack[GetRoleTabSummary]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_scan_group"], /, **inputs: Unpack[GetScanGroup]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_software_license"], /, **inputs: Unpack[GetSoftwareLicense]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_system_custom_fields"], /, **inputs: Unpack[GetSystemCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_technician"], /, **inputs: Unpack[GetTechnician]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_ticket"], /, **inputs: Unpack[GetTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_ticket_form"], /, **inputs: Unpack[GetTicketForm]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["get_windows_event_condition"], /, **inputs: Unpack[GetWindowsEventCondition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_active_jobs"], /, **inputs: Unpack[ListActiveJobs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_activities"], /, **inputs: Unpack[ListActivities]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_alerts"], /, **inputs: Unpack[ListAlerts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_relationship_types"], /, **inputs: Unpack[ListAssetRelationshipTypes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_asset_relationships"], /, **inputs: Unpack[ListAssetRelationships]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_automation_scripts"], /, **inputs: Unpack[ListAutomationScripts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_backup_jobs"], /, **inputs: Unpack[ListBackupJobs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_billing_accounts"], /, **inputs: Unpack[ListBillingAccounts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_billing_agreements"], /, **inputs: Unpack[ListBillingAgreements]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_billing_invoices"], /, **inputs: Unpack[ListBillingInvoices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_billing_products"], /, **inputs: Unpack[ListBillingProducts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_checklist_templates"], /, **inputs: Unpack[ListChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_checklists"], /, **inputs: Unpack[ListChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_contacts"], /, **inputs: Unpack[ListContacts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_custom_field_conditions"], /, **inputs: Unpack[ListCustomFieldConditions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_custom_field_definitions"], /, **inputs: Unpack[ListCustomFieldDefinitions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_active_jobs"], /, **inputs: Unpack[ListDeviceActiveJobs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_activities"], /, **inputs: Unpack[ListDeviceActivities]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_alerts"], /, **inputs: Unpack[ListDeviceAlerts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_disks"], /, **inputs: Unpack[ListDeviceDisks]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_geolocation_history"], /, **inputs: Unpack[ListDeviceGeolocationHistory]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_network_interfaces"], /, **inputs: Unpack[ListDeviceNetworkInterfaces]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_os_patch_installs"], /, **inputs: Unpack[ListDeviceOsPatchInstalls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_os_patches"], /, **inputs: Unpack[ListDeviceOsPatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_processors"], /, **inputs: Unpack[ListDeviceProcessors]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_roles"], /, **inputs: Unpack[ListDeviceRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_software"], /, **inputs: Unpack[ListDeviceSoftware]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_software_patch_installs"], /, **inputs: Unpack[ListDeviceSoftwarePatchInstalls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_software_patches"], /, **inputs: Unpack[ListDeviceSoftwarePatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_device_volumes"], /, **inputs: Unpack[ListDeviceVolumes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_devices"], /, **inputs: Unpack[ListDevices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_devices_detailed"], /, **inputs: Unpack[ListDevicesDetailed]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_document_templates"], /, **inputs: Unpack[ListDocumentTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_documents"], /, **inputs: Unpack[ListDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_enabled_notification_channels"], /, **inputs: Unpack[ListEnabledNotificationChannels]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_end_users"], /, **inputs: Unpack[ListEndUsers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_entity_asset_relationships"], /, **inputs: Unpack[ListEntityAssetRelationships]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_entity_related_items"], /, **inputs: Unpack[ListEntityRelatedItems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_entity_type_related_items"], /, **inputs: Unpack[ListEntityTypeRelatedItems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_global_articles"], /, **inputs: Unpack[ListGlobalArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_global_custom_fields"], /, **inputs: Unpack[ListGlobalCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_group_device_ids"], /, **inputs: Unpack[ListGroupDeviceIds]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_groups"], /, **inputs: Unpack[ListGroups]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_integrity_check_jobs"], /, **inputs: Unpack[ListIntegrityCheckJobs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_items_related_to_entity"], /, **inputs: Unpack[ListItemsRelatedToEntity]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_items_related_to_entity_type"], /, **inputs: Unpack[ListItemsRelatedToEntityType]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_location_backup_usage"], /, **inputs: Unpack[ListLocationBackupUsage]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_locations"], /, **inputs: Unpack[ListLocations]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_node_roles"], /, **inputs: Unpack[ListNodeRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_notification_channels"], /, **inputs: Unpack[ListNotificationChannels]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organization_articles"], /, **inputs: Unpack[ListOrganizationArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organization_devices"], /, **inputs: Unpack[ListOrganizationDevices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organization_documents"], /, **inputs: Unpack[ListOrganizationDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organization_end_users"], /, **inputs: Unpack[ListOrganizationEndUsers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organization_locations"], /, **inputs: Unpack[ListOrganizationLocations]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organizations"], /, **inputs: Unpack[ListOrganizations]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_organizations_detailed"], /, **inputs: Unpack[ListOrganizationsDetailed]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_policies"], /, **inputs: Unpack[ListPolicies]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_related_items"], /, **inputs: Unpack[ListRelatedItems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_scan_groups"], /, **inputs: Unpack[ListScanGroups]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_scheduled_tasks"], /, **inputs: Unpack[ListScheduledTasks]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_scripting_options"], /, **inputs: Unpack[ListScriptingOptions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_software_license_assignments"], /, **inputs: Unpack[ListSoftwareLicenseAssignments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_software_licenses"], /, **inputs: Unpack[ListSoftwareLicenses]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_software_products"], /, **inputs: Unpack[ListSoftwareProducts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_tags"], /, **inputs: Unpack[ListTags]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_technicians"], /, **inputs: Unpack[ListTechnicians]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_attributes"], /, **inputs: Unpack[ListTicketAttributes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_boards"], /, **inputs: Unpack[ListTicketBoards]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_contacts"], /, **inputs: Unpack[ListTicketContacts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_forms"], /, **inputs: Unpack[ListTicketForms]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_log_entries"], /, **inputs: Unpack[ListTicketLogEntries]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_products"], /, **inputs: Unpack[ListTicketProducts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_statuses"], /, **inputs: Unpack[ListTicketStatuses]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_ticket_users_and_contacts"], /, **inputs: Unpack[ListTicketUsersAndContacts]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_user_roles"], /, **inputs: Unpack[ListUserRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_users"], /, **inputs: Unpack[ListUsers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_windows_event_conditions"], /, **inputs: Unpack[ListWindowsEventConditions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["list_windows_services"], /, **inputs: Unpack[ListWindowsServices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["merge_tags"], /, **inputs: Unpack[MergeTags]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["move_folders_and_articles"], /, **inputs: Unpack[MoveFoldersAndArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["order_end_user_tabs"], /, **inputs: Unpack[OrderEndUserTabs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["order_global_tabs"], /, **inputs: Unpack[OrderGlobalTabs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["order_organization_tabs"], /, **inputs: Unpack[OrderOrganizationTabs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["order_role_tabs"], /, **inputs: Unpack[OrderRoleTabs]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["promote_checklists"], /, **inputs: Unpack[PromoteChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["promote_checklists_with_names"], /, **inputs: Unpack[PromoteChecklistsWithNames]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["reboot_device"], /, **inputs: Unpack[RebootDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["relate_item"], /, **inputs: Unpack[RelateItem]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["relate_items"], /, **inputs: Unpack[RelateItems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["remove_device_owner"], /, **inputs: Unpack[RemoveDeviceOwner]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["remove_role_members"], /, **inputs: Unpack[RemoveRoleMembers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["rename_custom_tab"], /, **inputs: Unpack[RenameCustomTab]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_antivirus_status"], /, **inputs: Unpack[ReportAntivirusStatus]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_antivirus_threats"], /, **inputs: Unpack[ReportAntivirusThreats]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_backup_usage"], /, **inputs: Unpack[ReportBackupUsage]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_computer_systems"], /, **inputs: Unpack[ReportComputerSystems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_custom_fields"], /, **inputs: Unpack[ReportCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_custom_fields_detailed"], /, **inputs: Unpack[ReportCustomFieldsDetailed]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_device_health"], /, **inputs: Unpack[ReportDeviceHealth]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_disks"], /, **inputs: Unpack[ReportDisks]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_logged_on_users"], /, **inputs: Unpack[ReportLoggedOnUsers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_network_interfaces"], /, **inputs: Unpack[ReportNetworkInterfaces]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_operating_systems"], /, **inputs: Unpack[ReportOperatingSystems]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_os_patch_installs"], /, **inputs: Unpack[ReportOsPatchInstalls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_os_patches"], /, **inputs: Unpack[ReportOsPatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_policy_overrides"], /, **inputs: Unpack[ReportPolicyOverrides]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_processors"], /, **inputs: Unpack[ReportProcessors]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_raid_controllers"], /, **inputs: Unpack[ReportRaidControllers]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_raid_drives"], /, **inputs: Unpack[ReportRaidDrives]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_scoped_custom_fields"], /, **inputs: Unpack[ReportScopedCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_scoped_custom_fields_detailed"], /, **inputs: Unpack[ReportScopedCustomFieldsDetailed]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_software"], /, **inputs: Unpack[ReportSoftware]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_software_patch_installs"], /, **inputs: Unpack[ReportSoftwarePatchInstalls]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_software_patches"], /, **inputs: Unpack[ReportSoftwarePatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_volumes"], /, **inputs: Unpack[ReportVolumes]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["report_windows_services"], /, **inputs: Unpack[ReportWindowsServices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["reset_alert"], /, **inputs: Unpack[ResetAlert]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["reset_alert_with_data"], /, **inputs: Unpack[ResetAlertWithData]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["reset_device_policy_overrides"], /, **inputs: Unpack[ResetDevicePolicyOverrides]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_articles"], /, **inputs: Unpack[RestoreArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_checklist_templates"], /, **inputs: Unpack[RestoreChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_checklists"], /, **inputs: Unpack[RestoreChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_document"], /, **inputs: Unpack[RestoreDocument]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_document_template"], /, **inputs: Unpack[RestoreDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_document_templates"], /, **inputs: Unpack[RestoreDocumentTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_documents"], /, **inputs: Unpack[RestoreDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["restore_folders"], /, **inputs: Unpack[RestoreFolders]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["run_script"], /, **inputs: Unpack[RunScript]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["run_ticket_board"], /, **inputs: Unpack[RunTicketBoard]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["scan_os_patches"], /, **inputs: Unpack[ScanOsPatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["scan_software_patches"], /, **inputs: Unpack[ScanSoftwarePatches]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["schedule_maintenance"], /, **inputs: Unpack[ScheduleMaintenance]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["search_devices"], /, **inputs: Unpack[SearchDevices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["set_asset_tags"], /, **inputs: Unpack[SetAssetTags]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["set_backup_bandwidth_throttle"], /, **inputs: Unpack[SetBackupBandwidthThrottle]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["set_device_owner"], /, **inputs: Unpack[SetDeviceOwner]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["set_role_tab_visibility"], /, **inputs: Unpack[SetRoleTabVisibility]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["unarchive_billing_invoices"], /, **inputs: Unpack[UnarchiveBillingInvoices]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_articles"], /, **inputs: Unpack[UpdateArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_asset_tags"], /, **inputs: Unpack[UpdateAssetTags]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_billing_account"], /, **inputs: Unpack[UpdateBillingAccount]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_billing_agreement"], /, **inputs: Unpack[UpdateBillingAgreement]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_billing_invoice"], /, **inputs: Unpack[UpdateBillingInvoice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_billing_invoice_note"], /, **inputs: Unpack[UpdateBillingInvoiceNote]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_billing_product"], /, **inputs: Unpack[UpdateBillingProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_checklist_templates"], /, **inputs: Unpack[UpdateChecklistTemplates]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_checklists"], /, **inputs: Unpack[UpdateChecklists]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_contact"], /, **inputs: Unpack[UpdateContact]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_custom_field_definition"], /, **inputs: Unpack[UpdateCustomFieldDefinition]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_custom_field_definitions"], /, **inputs: Unpack[UpdateCustomFieldDefinitions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_custom_tab"], /, **inputs: Unpack[UpdateCustomTab]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_device"], /, **inputs: Unpack[UpdateDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_device_custom_fields"], /, **inputs: Unpack[UpdateDeviceCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_document"], /, **inputs: Unpack[UpdateDocument]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_document_template"], /, **inputs: Unpack[UpdateDocumentTemplate]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_documents"], /, **inputs: Unpack[UpdateDocuments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_end_user"], /, **inputs: Unpack[UpdateEndUser]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_end_user_custom_fields"], /, **inputs: Unpack[UpdateEndUserCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_end_user_device_access"], /, **inputs: Unpack[UpdateEndUserDeviceAccess]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_license_last_usage"], /, **inputs: Unpack[UpdateLicenseLastUsage]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_location"], /, **inputs: Unpack[UpdateLocation]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_location_custom_fields"], /, **inputs: Unpack[UpdateLocationCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_node_roles"], /, **inputs: Unpack[UpdateNodeRoles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_organization"], /, **inputs: Unpack[UpdateOrganization]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_organization_custom_fields"], /, **inputs: Unpack[UpdateOrganizationCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_role_organization_permissions"], /, **inputs: Unpack[UpdateRoleOrganizationPermissions]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_software_license"], /, **inputs: Unpack[UpdateSoftwareLicense]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_system_custom_fields"], /, **inputs: Unpack[UpdateSystemCustomFields]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_tag"], /, **inputs: Unpack[UpdateTag]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_technician"], /, **inputs: Unpack[UpdateTechnician]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_ticket"], /, **inputs: Unpack[UpdateTicket]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_ticket_product"], /, **inputs: Unpack[UpdateTicketProduct]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_ticket_time_entry"], /, **inputs: Unpack[UpdateTicketTimeEntry]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["update_unmanaged_device"], /, **inputs: Unpack[UpdateUnmanagedDevice]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["upload_articles"], /, **inputs: Unpack[UploadArticles]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["upload_scan_group_csv"], /, **inputs: Unpack[UploadScanGroupCsv]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["upload_temporary_attachments"], /, **inputs: Unpack[UploadTemporaryAttachments]) -> dict[str, Any]: ...
    @overload
    def preview(self, action: Literal["upsert_software_license"], /, **inputs: Unpack[UpsertSoftwareLicense]) -> dict[str, Any]: ...
    @overload  # type: ignore[override]
    def run(
        self, action: Literal["decommission_device", "decommission_unmanaged_device", "decommission_unmanaged_devices", "delete_articles", "delete_asset_relationship", "delete_billing_account", "delete_checklist", "delete_checklist_template", "delete_checklist_templates", "delete_checklists", "delete_contact", "delete_custom_field_definition", "delete_custom_field_definitions", "delete_custom_tab", "delete_document", "delete_document_template", "delete_end_user", "delete_entity_related_items", "delete_folders", "delete_node_roles", "delete_policy_condition", "delete_related_item", "delete_software_license", "delete_tag", "delete_tags", "delete_technician", "delete_ticket_products", "delete_unmanaged_device", "merge_tags", "reboot_device", "reset_alert", "reset_alert_with_data", "reset_device_policy_overrides"], rows: Iterable[Mapping[str, Any]], *,
        templates: Mapping[str, Any] | None = None, concurrency: int = 1,
        results: Literal["one", "each"] = "one", keep_row: bool = False, confirm: Literal[True],
    ) -> Results: ...
    @overload
    def run(
        self, action: Literal["activate_billing_product", "add_role_members", "add_ticket_comment", "apply_os_patches", "apply_software_patches", "approve_billing_invoices", "approve_devices", "archive_articles", "archive_billing_invoices", "archive_checklist_templates", "archive_checklists", "archive_document", "archive_document_template", "archive_document_templates", "archive_documents", "archive_folders", "assign_organization_policies", "attach_file_to_entity", "cancel_maintenance", "configure_webhook", "configure_windows_service", "control_windows_service", "create_ad_hoc_ticket_product", "create_articles", "create_asset_relationship", "create_asset_relationship_type", "create_billing_account", "create_billing_agreement", "create_billing_invoice", "create_billing_product", "create_catalog_ticket_product", "create_checklist_templates", "create_checklists", "create_checklists_from_templates", "create_contact", "create_custom_field_condition", "create_custom_field_definition", "create_custom_field_definitions", "create_custom_tab", "create_document", "create_document_template", "create_documents", "create_end_user", "create_integrity_check_job", "create_location", "create_node_roles", "create_organization", "create_policy", "create_secure_related_item", "create_software_license", "create_staged_device", "create_tag", "create_technician", "create_ticket", "create_unmanaged_device", "create_windows_event_condition", "deactivate_billing_agreement", "deactivate_billing_product", "disable_webhook", "download_article", "download_related_item_attachment", "export_billing_invoices", "generate_installer", "get_article_signed_urls", "get_billing_account", "get_billing_agreement", "get_billing_invoice", "get_billing_product", "get_checklist", "get_checklist_signed_urls", "get_contact", "get_custom_field_condition", "get_custom_field_definition", "get_custom_field_signed_urls", "get_custom_tab", "get_device", "get_device_custom_fields", "get_device_last_logged_on_user", "get_device_link", "get_device_policy_overrides", "get_document_signed_urls", "get_document_template", "get_end_user", "get_end_user_custom_fields", "get_end_user_tab_hierarchy", "get_end_user_tab_summary", "get_folder", "get_folder_by_path", "get_global_tab_summary", "get_location_backup_usage", "get_location_custom_fields", "get_location_installer", "get_organization", "get_organization_custom_fields", "get_organization_tab_hierarchy", "get_organization_tab_summary", "get_related_item_signed_urls", "get_role_tab_hierarchy", "get_role_tab_summary", "get_scan_group", "get_software_license", "get_system_custom_fields", "get_technician", "get_ticket", "get_ticket_form", "get_windows_event_condition", "list_active_jobs", "list_activities", "list_alerts", "list_asset_relationship_types", "list_asset_relationships", "list_automation_scripts", "list_backup_jobs", "list_billing_accounts", "list_billing_agreements", "list_billing_invoices", "list_billing_products", "list_checklist_templates", "list_checklists", "list_contacts", "list_custom_field_conditions", "list_custom_field_definitions", "list_device_active_jobs", "list_device_activities", "list_device_alerts", "list_device_disks", "list_device_geolocation_history", "list_device_network_interfaces", "list_device_os_patch_installs", "list_device_os_patches", "list_device_processors", "list_device_roles", "list_device_software", "list_device_software_patch_installs", "list_device_software_patches", "list_device_volumes", "list_devices", "list_devices_detailed", "list_document_templates", "list_documents", "list_enabled_notification_channels", "list_end_users", "list_entity_asset_relationships", "list_entity_related_items", "list_entity_type_related_items", "list_global_articles", "list_global_custom_fields", "list_group_device_ids", "list_groups", "list_integrity_check_jobs", "list_items_related_to_entity", "list_items_related_to_entity_type", "list_location_backup_usage", "list_locations", "list_node_roles", "list_notification_channels", "list_organization_articles", "list_organization_devices", "list_organization_documents", "list_organization_end_users", "list_organization_locations", "list_organizations", "list_organizations_detailed", "list_policies", "list_related_items", "list_scan_groups", "list_scheduled_tasks", "list_scripting_options", "list_software_license_assignments", "list_software_licenses", "list_software_products", "list_tags", "list_technicians", "list_ticket_attributes", "list_ticket_boards", "list_ticket_contacts", "list_ticket_forms", "list_ticket_log_entries", "list_ticket_products", "list_ticket_statuses", "list_ticket_users_and_contacts", "list_user_roles", "list_users", "list_windows_event_conditions", "list_windows_services", "move_folders_and_articles", "order_end_user_tabs", "order_global_tabs", "order_organization_tabs", "order_role_tabs", "promote_checklists", "promote_checklists_with_names", "relate_item", "relate_items", "remove_device_owner", "remove_role_members", "rename_custom_tab", "report_antivirus_status", "report_antivirus_threats", "report_backup_usage", "report_computer_systems", "report_custom_fields", "report_custom_fields_detailed", "report_device_health", "report_disks", "report_logged_on_users", "report_network_interfaces", "report_operating_systems", "report_os_patch_installs", "report_os_patches", "report_policy_overrides", "report_processors", "report_raid_controllers", "report_raid_drives", "report_scoped_custom_fields", "report_scoped_custom_fields_detailed", "report_software", "report_software_patch_installs", "report_software_patches", "report_volumes", "report_windows_services", "restore_articles", "restore_checklist_templates", "restore_checklists", "restore_document", "restore_document_template", "restore_document_templates", "restore_documents", "restore_folders", "run_script", "run_ticket_board", "scan_os_patches", "scan_software_patches", "schedule_maintenance", "search_devices", "set_asset_tags", "set_backup_bandwidth_throttle", "set_device_owner", "set_role_tab_visibility", "unarchive_billing_invoices", "update_articles", "update_asset_tags", "update_billing_account", "update_billing_agreement", "update_billing_invoice", "update_billing_invoice_note", "update_billing_product", "update_checklist_templates", "update_checklists", "update_contact", "update_custom_field_definition", "update_custom_field_definitions", "update_custom_tab", "update_device", "update_device_custom_fields", "update_document", "update_document_template", "update_documents", "update_end_user", "update_end_user_custom_fields", "update_end_user_device_access", "update_license_last_usage", "update_location", "update_location_custom_fields", "update_node_roles", "update_organization", "update_organization_custom_fields", "update_role_organization_permissions", "update_software_license", "update_system_custom_fields", "update_tag", "update_technician", "update_ticket", "update_ticket_product", "update_ticket_time_entry", "update_unmanaged_device", "upload_articles", "upload_scan_group_csv", "upload_temporary_attachments", "upsert_software_license"], rows: Iterable[Mapping[str, Any]], *,
        templates: Mapping[str, Any] | None = None, concurrency: int = 1,
        results: Literal["one", "each"] = "one", keep_row: bool = False, confirm: bool = False,
    ) -> Results: ...
    def describe(self, action: NinjaOneAction, *, names: bool = True) -> dict[str, Any]: ...  # type: ignore[override]
