// Generated from the declarations by `make reference`: edit those instead of this file.
import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';

import { account } from './resources/account';
import { assets } from './resources/assets';
import { clients } from './resources/clients';
import { tickets } from './resources/tickets';
import { webhooks } from './resources/webhooks';
import { REQUEST_DEFAULTS, REQUEST_OPERATIONS } from '../shared/requests';

export class HaloPsa implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'HaloPSA',
		name: 'haloPsa',
		icon: { light: 'file:../../icons/connector.svg', dark: 'file:../../icons/connector.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
		description: 'Run actions of HaloPSA through the HTTP server of the connector',
		defaults: { name: 'HaloPSA' },
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
					{ name: 'Account', value: 'account' },
					{ name: 'Asset', value: 'assets' },
					{ name: 'Client', value: 'clients' },
					{ name: 'Ticket', value: 'tickets' },
					{ name: 'Webhook', value: 'webhooks' },
				],
				default: 'account',
			},
			...account,
			...assets,
			...clients,
			...tickets,
			...webhooks,
		],
	};
}
