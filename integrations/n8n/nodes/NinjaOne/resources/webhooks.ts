// Generated from the declarations by `make reference`: edit those instead of this file.
import type { INodeProperties } from 'n8n-workflow';

import { IDEMPOTENCY_KEY, IF_GIVEN } from '../../shared/expressions';
import { toItems, withBody } from '../../shared/requests';

export const webhooks: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['webhooks'] } },
		options: [
			{
				name: 'Configure Webhook',
				value: 'configure_webhook',
				description: 'Set the URL that NinjaOne posts activities to, and which activities it posts',
				action: 'Configure webhook',
			},
			{
				name: 'Disable Webhook',
				value: 'disable_webhook',
				description: 'Stop posting activities to the webhook',
				action: 'Disable webhook',
			},
		],
		default: 'configure_webhook',
		routing: {
			request: { method: 'POST', url: '=/actions/{{ $value }}' },
			send: { paginate: true, preSend: [withBody] },
			output: { postReceive: [toItems] },
		},
	},
	{
		displayName: 'URL',
		name: 'url',
		type: 'string',
		displayOptions: { show: { resource: ['webhooks'], operation: ['configure_webhook'] } },
		default: '',
		required: true,
		description: 'The URL to post activities to. It should return 2xx quickly.',
		routing: { send: { type: 'body', property: 'url' } },
	},
	{
		displayName: 'Activities',
		name: 'activities',
		type: 'json',
		displayOptions: { show: { resource: ['webhooks'], operation: ['configure_webhook'] } },
		default: '',
		required: true,
		description: 'Activity types with their status codes, or "*" for all. Example: {"CONDITION": ["TRIGGERED", "RESET"], "SYSTEM": ["*"]}. JSON.',
		routing: { send: { type: 'body', property: 'activities' } },
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'collection',
		displayOptions: { show: { resource: ['webhooks'], operation: ['configure_webhook'] } },
		placeholder: 'Add Field',
		default: {},
		options: [
			{
				displayName: 'Expand',
				name: 'expand',
				type: 'json',
				default: '',
				description: 'Entities to include in each post: device, organization, location. JSON.',
				routing: { send: { type: 'body', property: 'expand' } },
			},
			{
				displayName: 'Headers',
				name: 'headers',
				type: 'json',
				default: '',
				description: 'Headers of each post. Posts are not signed: use a custom header with a secret to verify that they come from NinjaOne. JSON.',
				routing: { send: { type: 'body', property: 'headers' } },
			},
			{
				displayName: 'Organization IDs',
				name: 'organization_ids',
				type: 'json',
				default: '',
				description: 'Only activities of these organizations. Default: all. Each item is an ID or a unique name. JSON.',
				routing: { send: { type: 'body', property: 'organization_ids' } },
			},
		],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: { show: { resource: ['webhooks'], operation: ['configure_webhook', 'disable_webhook'] } },
		placeholder: 'Add Option',
		default: {},
		options: [
			{
				displayName: 'Connection',
				name: 'connection',
				type: 'string',
				default: '',
				description: 'The name of another connection of the server than the default one',
				routing: { send: { type: 'query', property: 'connection', value: IF_GIVEN } },
			},
			{
				displayName: 'Idempotency Key',
				name: 'idempotencyKey',
				type: 'string',
				default: '',
				description: 'A text that is unique for each change, such as an order number. Requests with the same key and the same fields are sent once within 24 hours. Default: a key of this execution, node, run and item.',
			},
		],
		routing: { request: { headers: { 'Idempotency-Key': IDEMPOTENCY_KEY } } },
	},
];
