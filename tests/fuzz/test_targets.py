"""A few fixed inputs of each target; for more, `make fuzz`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import answers, declarations, input_files, templates, values
from tests.fuzz.target import Target

TARGETS = (templates.TARGET, values.TARGET, declarations.TARGET, input_files.TARGET, answers.TARGET)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_stands_whatever_it_is_given(target: Target) -> None:
    @settings(
        max_examples=40,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def stands(value: object) -> None:
        target.try_one(value)

    stands()
