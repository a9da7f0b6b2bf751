// Generated from the declarations by `make reference`: edit those instead of this file.
import type { INodeProperties } from 'n8n-workflow';

import { IF_GIVEN } from '../../shared/expressions';
import { toItems, withBody } from '../../shared/requests';

export const account: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['account'] } },
		options: [
			{
				name: 'Get Instance Info',
				value: 'get_instance_info',
				description: 'Get the version and the tenant of the instance',
				action: 'Get instance info',
			},
			{
				name: 'Get Integration Settings',
				value: 'get_integration_settings',
				description: 'Get the settings of HaloPSA\'s own integration with another product, such as NinjaOne',
				action: 'Get integration settings',
			},
			{
				name: 'Get Me',
				value: 'get_me',
				description: 'Get the agent that the API signs in as',
				action: 'Get me',
			},
		],
		default: 'get_instance_info',
		routing: {
			request: { method: 'POST', url: '=/actions/halopsa.{{ $value }}' },
			send: { paginate: true, preSend: [withBody] },
			output: { postReceive: [toItems] },
		},
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'collection',
		displayOptions: { show: { resource: ['account'], operation: ['get_integration_settings'] } },
		placeholder: 'Add Field',
		default: {},
		options: [
			{
				displayName: 'Include Integration Settings',
				name: 'include_integration_settings',
				type: 'boolean',
				default: true,
				description: 'Whether to send true instead of false',
				routing: { send: { type: 'body', property: 'include_integration_settings' } },
			},
			{
				displayName: 'Module ID',
				name: 'module_id',
				type: 'number',
				default: 234,
				description: 'The ID of the integration in HaloPSA, such as 234 for NinjaOne',
				routing: { send: { type: 'body', property: 'module_id' } },
			},
		],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: {
			show: {
				resource: ['account'],
				operation: ['get_instance_info', 'get_integration_settings', 'get_me'],
			},
		},
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
		],
	},
];
