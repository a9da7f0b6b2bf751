"""Run a script with a list of parameters, and read the custom field that it writes."""

from connector.handlers import Inputs, RowError, Steps, request

FIELDS_PATH = "/v2/device/{id}/custom-fields"


def handle(inputs: Inputs) -> Steps:
    """Send the script. With `result_field`, return the field's value before the script runs."""
    if inputs.parameter_list:
        if inputs.parameters:
            raise RowError("input_invalid", "parameters and parameter_list cannot be combined")
        inputs = inputs.with_values(parameters=" ".join(map(_quoted, inputs.parameter_list)))
    if inputs.result_field is None:
        yield inputs.request()
        return None
    try:
        before = yield request("GET", FIELDS_PATH, {"id": inputs.device_id}, effect="read", idempotent=True)
        values = before.json()
    except RowError as error:
        if error.code != "not_found":  # A device without any value has no custom fields.
            raise
        values = {}
    yield inputs.request()
    return {"field": inputs.result_field, "before": values.get(inputs.result_field)}


def _quoted(parameter: str) -> str:
    """Return a parameter as it is written in one string, which the API splits at spaces."""
    if '"' in parameter:
        raise RowError(
            "input_invalid",
            'parameter_list: a parameter contains a double quote, which cannot be quoted; use "parameters"',
        )
    return f'"{parameter}"' if not parameter or any(c.isspace() for c in parameter) else parameter
