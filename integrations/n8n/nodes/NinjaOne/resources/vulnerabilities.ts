// Generated from the declarations by `make reference`: edit those instead of this file.
import type { INodeProperties } from 'n8n-workflow';

import { IDEMPOTENCY_KEY, IF_GIVEN } from '../../shared/expressions';
import { toItems, withBody } from '../../shared/requests';

export const vulnerabilities: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['vulnerabilities'] } },
		options: [
			{
				name: 'Get Scan Group',
				value: 'get_scan_group',
				description: 'Get one scan group, with the status of its last upload',
				action: 'Get scan group',
			},
			{
				name: 'List Scan Groups',
				value: 'list_scan_groups',
				description: 'List the scan groups for vulnerability scanner results, with their status',
				action: 'List scan groups',
			},
			{
				name: 'Upload Scan Group CSV',
				value: 'upload_scan_group_csv',
				description: 'Upload the results of a vulnerability scanner to a scan group',
				action: 'Upload scan group CSV',
			},
		],
		default: 'list_scan_groups',
		routing: {
			request: { method: 'POST', url: '=/actions/{{ $value }}' },
			send: { paginate: true, preSend: [withBody] },
			output: { postReceive: [toItems] },
		},
	},
	{
		displayName: 'Scan Group ID',
		name: 'scan_group_id',
		type: 'string',
		displayOptions: {
			show: { resource: ['vulnerabilities'], operation: ['get_scan_group', 'upload_scan_group_csv'] },
		},
		default: '',
		required: true,
		description: 'An ID or a unique name',
		routing: { send: { type: 'body', property: 'scan_group_id' } },
	},
	{
		displayName: 'CSV File',
		name: 'csv',
		type: 'string',
		displayOptions: { show: { resource: ['vulnerabilities'], operation: ['upload_scan_group_csv'] } },
		default: '',
		required: true,
		description: 'The name of a file in the uploads folder of the run, at most 200 MB',
		routing: { send: { type: 'body', property: 'csv' } },
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: { show: { resource: ['vulnerabilities'], operation: ['get_scan_group', 'list_scan_groups'] } },
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
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: { show: { resource: ['vulnerabilities'], operation: ['upload_scan_group_csv'] } },
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
