/** The default of a required choice: none of its options. */
export const NOT_CHOSEN = '';

/** An optional parameter of the query: left out if it is empty. */
export const IF_GIVEN = '={{ $value || undefined }}';

/** `X-Confirm` for the one row of a request, only if the field "Confirm" is true. */
export const CONFIRMED = '={{ $value === true ? "1" : "" }}';

/**
 * A time in ISO 8601 with its UTC offset. One without an offset is in the timezone of the workflow. Any other
 * value, such as a number, is left as it is.
 */
export const WITH_OFFSET =
	'={{ typeof $value === "string" && isNaN($value) && DateTime.fromISO($value, { setZone: true }).isValid ? DateTime.fromISO($value, { setZone: true }).toISO() : $value }}';

/**
 * The `Idempotency-Key`: the user's own, or one that is the same in each try of "Retry On Fail", and another
 * one for each execution, node, run in a loop, and item.
 */
export const IDEMPOTENCY_KEY =
	'={{ $value.idempotencyKey || encodeURIComponent(["n8n", $workflow.id, $execution.id, $nodeId, $runIndex, $itemIndex].join("-")) }}';
