"""The checks of `catalog check` that are not made when a declaration is loaded.

Default values and JSON Schemas must be valid, and every example must send the requests in its `sends`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector.catalog.action import Action, Example
from connector.catalog.catalog import Catalog
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.common import strict_yaml
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.common.package_data import references, schema
from connector.common.plurals import counted
from connector.errors import DeclarationError, RowError, RunError
from connector.http.messages import MultipartPart, Request, Response
from connector.invocation.bindings import bind
from connector.invocation.existing import ExistingRecords, create_if_missing, is_wanted
from connector.invocation.handler_imports import wrong_imports
from connector.invocation.handlers import Inputs, Note, Page, PagedResult, Steps, find_handler


def check_catalog(catalog: Catalog, service_name: str = "") -> list[str]:
    """Return the problems of all services, actions and examples of a catalog, or of one service."""
    problems = []
    for name in [service_name] if service_name else catalog.services:
        problems += check_declaration(catalog.service_file(name), "service.schema.json")
    for name in catalog.names_of(service_name):
        try:
            action = catalog.action(name)
        except DeclarationError as error:
            problems.append(str(error))
            continue
        service = catalog.service(action.service)
        problems += check_action(action, service)
        for example in action.examples:
            with TemporaryDirectory() as uploads:
                problems += check_example(action, service, example, Path(uploads))
    return problems


def check_declaration(path: Path, schema_name: str) -> list[str]:
    """Validate a YAML file with one of the connector's schemas, `schema_name`; return the problems."""
    return [f"{path}: {problem}" for problem in violations(schema(schema_name), strict_yaml.load(path))]


def check_action(action: Action, service: Service) -> list[str]:
    """Return the problems of one loaded action, without checking the requests of its examples."""
    problems = check_declaration(action.file, "action.schema.json")
    for key, text in (("title", action.title), ("summary", action.summary)):
        if re.search(r"\bTODO\b", text):
            problems.append(f"{action.file}: {key}: still contains TODO")
    for given in action.inputs.values():
        problems += [f"{action.file}: {given.name}: {problem}" for problem in _check_input(given)]
    for rule in action.rules:
        problems += [f"{action.file}: rules: {problem}" for problem in _check_schema(rule)]
    if action.returns_json:
        problems += [f"{action.file}: result: {problem}" for problem in _check_schema(action.result)]
    if action.paging and action.paging not in service.pagers:
        problems.append(f'{action.file}: paging: {service.name} has no pager "{action.paging}"')
    pager = action.existing.paging if action.existing else ""
    if pager and pager not in service.pagers:
        problems.append(f'{action.file}: if_missing: {service.name} has no pager "{pager}"')
    if "limit" in action.inputs and action.paging and action.inputs["limit"].place:
        problems.append(
            f"{action.file}: limit: the input limits the items of all pages, so it must not have `to`"
        )
    if not action.examples:
        problems.append(f"{action.file}: examples: at least one is required")
    try:
        find_handler(action)
    except DeclarationError as error:
        problems.append(str(error))
    if action.handler:
        found = wrong_imports(action.handler, service.name)
        problems += [problem for problem in found if problem not in problems]
    return problems


def _check_input(given: Input) -> Iterator[str]:
    unsound = list(_check_schema(given.schema))
    yield from unsound
    if given.default is not ABSENT and not unsound:
        yield from (f"default: {problem}" for problem in violations(given.schema, given.default))


def _check_schema(value: Any) -> Iterator[str]:
    """Yield the problems of a JSON Schema, including references to schemas that do not exist."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(value):
        yield f"not a valid JSON Schema: {error.json_path}: {error.message}"
    for name in references(value):
        try:
            schema(name)
        except (OSError, ValueError):
            yield f'schema "{name}" not found'


def violations(schema_: Any, value: Json) -> list[str]:
    """Validate a value with a JSON Schema that may refer to the connector's; return the problems."""
    from jsonschema import Draft202012Validator
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012, SchemaResource

    def retrieve(uri: str) -> SchemaResource:
        ours = re.fullmatch(r"urn:ninjaone-connector:(\w+):\d+", uri)
        return DRAFT202012.create_resource(schema(f"{ours[1]}.schema.json" if ours else uri))

    registry = REGISTRY.combine(Registry(retrieve=retrieve))  # type: ignore[call-arg]
    found = Draft202012Validator(schema_, registry=registry).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def check_example(action: Action, service: Service, example: Example, uploads_folder: Path) -> list[str]:
    """Run the handler of an action with an example's `answers`, and return the problems found.

    Its files are written to `uploads_folder`. If the example has `answers`, the handler's result must also
    match the action's `result`. Return the problems found.
    """
    where = f"{action.file}: example {example.title or action.examples.index(example) + 1}"
    for name, content in example.files.items():
        (uploads_folder / name).write_text(content, encoding="utf-8")
    sent: list[Request] = []
    try:
        values = bind(action, example.templates).values(example.row)
        steps = find_handler(action)(Inputs(action, service, values, uploads_folder))
        if is_wanted(action, values):
            steps = create_if_missing(steps, action, service, values, ExistingRecords())
        result = _drive(steps, list(example.answers) or [_smallest_response(action, service)], sent)
    except (RunError, RowError) as error:
        return [f"{where}: {error}"]
    except Exception as error:
        return [f"{where}: the handler failed: {error!r}"]
    problems = _compare(example, [described(request, uploads_folder) for request in sent])
    if action.effect == "read":
        # A read-only run or connection sends only requests that read.
        others = [request for request in sent if request.effect != "read"]
        problems += [f'the action reads, but {one} has the effect "{one.effect}"' for one in others]
    if len(sent) < len(example.answers):
        problems.append(
            f"there are {counted(len(example.answers), 'answer')} for {counted(len(sent), 'request')}"
        )
    if example.answers and not action.returns_file:
        declared = {"type": "null"} if action.result == "none" else action.result
        problems += [
            f"the result does not match `result`: {problem}" for problem in violations(declared, result)
        ]
    return [f"{where}: {problem}" for problem in problems]


def described(request: Request, uploads_folder: Path) -> dict[str, Json]:
    """Return a request in the form of an example's `sends`."""
    shown: dict[str, Json] = {"method": request.method, "path": request.path}
    if request.query:
        values: dict[str, list[str]] = {}
        for name, value in request.query:
            values.setdefault(name, []).append(value)
        shown["query"] = {name: many[0] if len(many) == 1 else many for name, many in values.items()}
    if request.headers:
        shown["headers"] = dict(request.headers)
    if request.body is not ABSENT:
        shown["body"] = request.body
    if request.parts:
        shown["parts"] = [_described_part(part, uploads_folder.resolve()) for part in request.parts]
    return shown


def _described_part(part: MultipartPart, uploads_folder: Path) -> dict[str, Json]:
    shown: dict[str, Json] = {"name": part.name}
    if part.media_type:
        shown["media_type"] = part.media_type
    if part.path is None:
        return {**shown, "value": part.value}
    return {**shown, "file": part.path.relative_to(uploads_folder).as_posix()}


def _compare(example: Example, sent: list[dict[str, Json]]) -> list[str]:
    problems = []
    if len(sent) != len(example.sends):
        problems.append(
            f"the example sends {counted(len(sent), 'request')}, but `sends` has {len(example.sends)}"
        )
    for number, (real, promised) in enumerate(zip(sent, example.sends, strict=False), start=1):
        # Compare as JSON text, because 1, 1.0 and True are equal in Python.
        real_text, promised_text = (json.dumps(value, sort_keys=True) for value in (real, promised))
        if real_text != promised_text:
            problems.append(f"request {number} is {real_text}, but `sends` has {promised_text}")
    return problems


def _drive(steps: Steps, answers: list[Json], sent: list[Request]) -> Json:
    """Run a handler with given response bodies (null: an empty response); add its requests to `sent`.

    Return the handler's result, or all items of a paged list. Raises RunError if responses are missing.
    """
    items: list[Json] = []
    waiting = iter(answers)
    try:
        step = next(steps)
        while True:
            if isinstance(step, (Page, Note)):
                items += step.items if isinstance(step, Page) else []
                step = next(steps)
                continue
            sent.append(step)
            try:
                answer = _response(next(waiting))
            except StopIteration:
                raise RunError(f"`answers` has no response for request {len(sent)}, {step}") from None
            step = steps.send(answer)
    except StopIteration as stop:
        return items if isinstance(stop.value, PagedResult) else stop.value


def _response(answer: Json) -> Response:
    if answer is None:
        return Response(204)
    return Response(200, {"content-type": "application/json"}, json.dumps(answer).encode())


def _smallest_response(action: Action, service: Service) -> Json:
    """Return the smallest response body that fits the declared result; None for an empty response."""
    if action.paging in service.pagers:
        answer: Json = []
        for name in reversed([name for name in service.pagers[action.paging].items.split(".") if name]):
            answer = {name: answer}
        return answer
    if not action.returns_json or action.redirects:
        return None
    return [] if action.result.get("type") == "array" else {}
