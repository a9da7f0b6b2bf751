// Generated from the declarations by `make reference`: edit those instead of this file.
import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';

import { alertsActivities } from './resources/alerts_activities';
import { backup } from './resources/backup';
import { billing } from './resources/billing';
import { customFields } from './resources/custom_fields';
import { devices } from './resources/devices';
import { itamLicenses } from './resources/itam_licenses';
import { knowledgeBase } from './resources/knowledge_base';
import { organizationsLocations } from './resources/organizations_locations';
import { patches } from './resources/patches';
import { reports } from './resources/reports';
import { scripting } from './resources/scripting';
import { ticketing } from './resources/ticketing';
import { usersRoles } from './resources/users_roles';
import { vulnerabilities } from './resources/vulnerabilities';
import { webhooks } from './resources/webhooks';
import { REQUEST_DEFAULTS, REQUEST_OPERATIONS } from '../shared/requests';

export class NinjaOne implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'NinjaOne',
		name: 'ninjaOne',
		icon: { light: 'file:../../icons/connector.svg', dark: 'file:../../icons/connector.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
		description: 'Run actions of NinjaOne through the HTTP server of the connector',
		defaults: { name: 'NinjaOne' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'ninjaOneConnectorApi', required: true }],
		requestDefaults: REQUEST_DEFAULTS,
		requestOperations: REQUEST_OPERATIONS,
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: [
					{ name: 'Alert or Activity', value: 'alerts_activities' },
					{ name: 'Backup', value: 'backup' },
					{ name: 'Billing', value: 'billing' },
					{ name: 'Custom Field', value: 'custom_fields' },
					{ name: 'Device', value: 'devices' },
					{ name: 'ITAM License', value: 'itam_licenses' },
					{ name: 'Knowledge Base', value: 'knowledge_base' },
					{ name: 'Organization or Location', value: 'organizations_locations' },
					{ name: 'Patch', value: 'patches' },
					{ name: 'Report', value: 'reports' },
					{ name: 'Scripting', value: 'scripting' },
					{ name: 'Ticketing', value: 'ticketing' },
					{ name: 'User or Role', value: 'users_roles' },
					{ name: 'Vulnerability', value: 'vulnerabilities' },
					{ name: 'Webhook', value: 'webhooks' },
				],
				default: 'devices',
			},
			...alertsActivities,
			...backup,
			...billing,
			...customFields,
			...devices,
			...itamLicenses,
			...knowledgeBase,
			...organizationsLocations,
			...patches,
			...reports,
			...scripting,
			...ticketing,
			...usersRoles,
			...vulnerabilities,
			...webhooks,
		],
	};
}
