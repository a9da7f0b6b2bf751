import type {
	IAuthenticateGeneric,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	INodeProperties,
} from 'n8n-workflow';

export class NinjaOneConnectorApi implements ICredentialType {
	name = 'ninjaOneConnectorApi';

	displayName = 'NinjaOne Connector API';

	icon: Icon = { light: 'file:../icons/connector.svg', dark: 'file:../icons/connector.dark.svg' };

	documentationUrl = 'https://ninjaone-connector.example.com/docs/n8n';

	properties: INodeProperties[] = [
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: 'http://127.0.0.1:8700',
			required: true,
			description: 'The address of <code>ninjaone serve</code> as n8n reaches it',
		},
		{
			displayName: 'Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description: 'The secret that <code>ninjaone key add</code> printed',
		},
	];

	authenticate: IAuthenticateGeneric = {
		type: 'generic',
		properties: { headers: { Authorization: '=Bearer {{ $credentials.apiKey }}' } },
	};

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{ $credentials.baseUrl.replace(/\\/+$/, "") }}',
			url: '/openapi.json',
			qs: { actions: 'list_organizations' },
		},
	};
}
