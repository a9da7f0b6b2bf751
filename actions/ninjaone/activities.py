"""Paging of activities, which the API lists from newest to oldest."""

from connector.handlers import Inputs, Note, Page, PagedResult, Request, Steps, http_handler


def back_to_newer_than(inputs: Inputs) -> Steps:
    """Yield pages of activities until one is not newer than `newer_than`."""
    walk = http_handler(inputs)
    if inputs.newer_than is None:
        return (yield from walk)
    try:
        step = next(walk)
        while True:
            if isinstance(step, Request):
                response = yield step
                step = walk.send(response)
                continue
            if isinstance(step, Note):
                yield step
                step = next(walk)
                continue
            newer = [activity for activity in step.items if activity["id"] > inputs.newer_than]
            yield Page(newer)
            if len(newer) < len(step.items):
                return PagedResult({k: v for k, v in response.json().items() if k != "activities"})
            step = next(walk)
    except StopIteration as end:
        return end.value
