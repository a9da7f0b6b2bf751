import {
	NodeApiError,
	type DeclarativeRestApiSettings,
	type IDataObject,
	type IExecutePaginationFunctions,
	type IExecuteSingleFunctions,
	type IHttpRequestOptions,
	type IN8nHttpFullResponse,
	type INodeExecutionData,
	type INodeTypeDescription,
	type JsonObject,
} from 'n8n-workflow';

/**
 * What all requests have. With `status=mirror`, a failed row has the status of a failed request. With
 * `names`, ids can be names; with `lenient`, the server converts text to the type of the input, and ignores
 * empty text. Failed requests are made errors by `toItems`, which knows the server's message.
 */
export const REQUEST_DEFAULTS: INodeTypeDescription['requestDefaults'] = {
	baseURL: '={{ $credentials.baseUrl.replace(/\\/+$/, "") }}',
	headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
	qs: { status: 'mirror', names: '1', lenient: '1' },
	ignoreHttpStatusErrors: true,
};

/** The maximum number of requests at the same time: as many as the server runs over one connection. */
const AT_ONCE = 8;
const waiting: Array<() => void> = [];
let running = 0;

/**
 * Sends a request when it is its turn. n8n starts the requests of all items at once, and the server refuses
 * those that are too many. Once the execution was canceled, n8n refuses to send more requests.
 */
async function inTurn(
	this: IExecutePaginationFunctions,
	request: DeclarativeRestApiSettings.ResultOptions,
): Promise<INodeExecutionData[]> {
	if (running < AT_ONCE) running += 1;
	else await new Promise<void>((resolve) => waiting.push(resolve));
	try {
		return await this.makeRoutingRequest(request);
	} finally {
		const next = waiting.shift();
		if (next) next();
		else running -= 1;
	}
}

/** How requests are sent: as a pagination of one page, which is the place for `inTurn`. */
export const REQUEST_OPERATIONS: INodeTypeDescription['requestOperations'] = { pagination: inTurn };

/** Sends an empty object if no field has a value, since n8n leaves out an empty body. */
export async function withBody(
	this: IExecuteSingleFunctions,
	options: IHttpRequestOptions,
): Promise<IHttpRequestOptions> {
	const isEmpty = Object.values(options.body ?? {}).every((value) => value === undefined);
	return isEmpty ? { ...options, body: '{}' } : options;
}

/**
 * Returns the result in the envelope: an item for each member of a list, and one item for anything else.
 * Throws a NodeApiError with the server's message for a failed request.
 */
export async function toItems(
	this: IExecuteSingleFunctions,
	_items: INodeExecutionData[],
	response: IN8nHttpFullResponse,
): Promise<INodeExecutionData[]> {
	const item = this.getItemIndex();
	const body = (response.body ?? {}) as IDataObject;
	if (response.statusCode !== 200 || body.has_error !== false) {
		throw new NodeApiError(this.getNode(), body as JsonObject, {
			...describe(body, response.statusCode),
			httpCode: String(response.statusCode),
			itemIndex: item,
		});
	}
	const result = body.result ?? { success: true };
	const results = Array.isArray(result) ? result : [result];
	return results.map((one) => ({ json: asObject(one), pairedItem: { item } }));
}

/** Returns the message and description of a failed response: an envelope, a problem, or neither. */
function describe(body: IDataObject, status: number): { message: string; description: string } {
	const meta = (body.meta ?? {}) as IDataObject;
	const message = body.error ?? body.detail ?? `The server responded with ${status}`;
	const description = meta.code ?? body.title ?? 'Not a response of `ninjaone serve`: check the Base URL';
	return { message: String(message), description: String(description) };
}

function asObject(value: unknown): IDataObject {
	const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
	return isObject ? (value as IDataObject) : { value: value as IDataObject };
}
