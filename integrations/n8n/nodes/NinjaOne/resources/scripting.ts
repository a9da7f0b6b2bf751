// Generated from the declarations by `make reference`: edit those instead of this file.
import type { INodeProperties } from 'n8n-workflow';

import { IDEMPOTENCY_KEY, IF_GIVEN, NOT_CHOSEN } from '../../shared/expressions';
import { toItems, withBody } from '../../shared/requests';

export const scripting: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['scripting'] } },
		options: [
			{
				name: 'List Automation Scripts',
				value: 'list_automation_scripts',
				description: 'List the scripts of the automation library, with languages, operating systems, and parameters',
				action: 'List automation scripts',
			},
			{
				name: 'List Scheduled Tasks',
				value: 'list_scheduled_tasks',
				description: 'List the scheduled tasks, with their schedules and last runs',
				action: 'List scheduled tasks',
			},
			{
				name: 'List Scripting Options',
				value: 'list_scripting_options',
				description: 'List the scripts, built-in actions, and credentials that can be used on a device',
				action: 'List scripting options',
			},
			{
				name: 'Run Script',
				value: 'run_script',
				description: 'Run a script or a built-in action on a device',
				action: 'Run script',
			},
		],
		default: 'list_automation_scripts',
		routing: {
			request: { method: 'POST', url: '=/actions/{{ $value }}' },
			send: { paginate: true, preSend: [withBody] },
			output: { postReceive: [toItems] },
		},
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'collection',
		displayOptions: {
			show: { resource: ['scripting'], operation: ['list_automation_scripts', 'list_scripting_options'] },
		},
		placeholder: 'Add Field',
		default: {},
		options: [
			{
				displayName: 'Language',
				name: 'language',
				type: 'string',
				default: '',
				description: 'Language of names and descriptions, such as en',
				routing: { send: { type: 'body', property: 'language' } },
			},
		],
	},
	{
		displayName: 'Device ID',
		name: 'device_id',
		type: 'string',
		displayOptions: { show: { resource: ['scripting'], operation: ['list_scripting_options', 'run_script'] } },
		default: '',
		required: true,
		description: 'An ID or a unique name',
		routing: { send: { type: 'body', property: 'device_id' } },
	},
	{
		displayName: 'Type',
		name: 'type',
		type: 'options',
		displayOptions: { show: { resource: ['scripting'], operation: ['run_script'] } },
		options: [{ name: 'ACTION', value: 'ACTION' }, { name: 'SCRIPT', value: 'SCRIPT' }],
		default: NOT_CHOSEN,
		required: true,
		routing: { send: { type: 'body', property: 'type' } },
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'collection',
		displayOptions: { show: { resource: ['scripting'], operation: ['run_script'] } },
		placeholder: 'Add Field',
		default: {},
		options: [
			{
				displayName: 'Parameter List',
				name: 'parameter_list',
				type: 'json',
				default: '',
				description: 'The parameters as a list, in place of Parameters. Those with spaces are put in double quotes. JSON.',
				routing: { send: { type: 'body', property: 'parameter_list' } },
			},
			{
				displayName: 'Parameters',
				name: 'parameters',
				type: 'string',
				default: '',
				description: 'One string, with parameters separated by spaces',
				routing: { send: { type: 'body', property: 'parameters' } },
			},
			{
				displayName: 'Result Field',
				name: 'result_field',
				type: 'string',
				default: '',
				description: 'The name of a custom field of the device to which the script writes its result. The result has its value before the script, and with `--wait` also its value after the script.',
				routing: { send: { type: 'body', property: 'result_field' } },
			},
			{
				displayName: 'Run As',
				name: 'run_as',
				type: 'string',
				default: '',
				description: 'A role from the scripting options (system, loggedonuser, SR_LOCAL_ADMINISTRATOR; case-sensitive) or the ID of a credential',
				routing: { send: { type: 'body', property: 'run_as' } },
			},
			{
				displayName: 'Script ID',
				name: 'script_id',
				type: 'string',
				default: '',
				description: 'The script, for type SCRIPT. An ID or a unique name.',
				routing: { send: { type: 'body', property: 'script_id' } },
			},
			{
				displayName: 'UID',
				name: 'uid',
				type: 'string',
				default: '',
				description: 'The built-in action, for type ACTION',
				routing: { send: { type: 'body', property: 'uid' } },
			},
		],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: {
			show: {
				resource: ['scripting'],
				operation: ['list_automation_scripts', 'list_scheduled_tasks', 'list_scripting_options'],
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
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		displayOptions: { show: { resource: ['scripting'], operation: ['run_script'] } },
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
