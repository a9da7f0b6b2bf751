"""Times: every form that is read, every unit that is written, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common.times import EPOCH_MS_FROM, Unit, parse_time, write_time
from tests.examples import examples

NOON = datetime(2017, 7, 16, 12, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "2017-07-16T12:00:00Z",
        "2017-07-16T12:00:00z",
        "2017-07-16T12:00:00",
        "2017-07-16 12:00:00",
        "2017-07-16T12:00",
        "2017-07-16T12:00Z",
        "2017-07-16T12:00:00.0Z",
        "2017-07-16T12:00:00,000Z",
        "2017-07-16T12:00:00+00:00",
        "2017-07-16T08:00:00-4:00",
        "2017-07-16T08:00:00-04:00",
        "2017-07-16T08:00:00-0400",
        "2017-07-16T08:00:00-04",
        "2017-07-16T08:00:00 -4:00",
        "2017-07-16T17:30:00+5:30",
        "2017-07-17T02:00+14:00",
        "  2017-07-16T12:00:00Z\n",
        "1500206400",
        "1500206400.0",
        "1500206400000",
        "1500206400000.0",
    ],
)
def test_every_form_of_one_time_is_the_same_time(text: str) -> None:
    assert parse_time(text) == NOON


def test_a_time_of_the_vendors_older_document_is_read() -> None:
    assert write_time(parse_time("2017-07-16T00:00:00-4:00"), "iso") == "2017-07-16T04:00:00Z"


def test_a_date_alone_is_its_first_instant() -> None:
    assert parse_time("2024-02-29") == datetime(2024, 2, 29, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [(".1", 100_000), (".123", 123_000), (".123456", 123_456), (".123456789", 123_456), (",5", 500_000)],
)
def test_fractions_are_kept_to_the_microsecond(text: str, microsecond: int) -> None:
    assert parse_time(f"2017-07-16T12:00:00{text}Z") == NOON.replace(microsecond=microsecond)


def test_an_epoch_is_seconds_below_the_boundary_and_milliseconds_from_it_on() -> None:
    assert parse_time(str(EPOCH_MS_FROM - 1)).year == 5138
    assert parse_time(str(EPOCH_MS_FROM)) == datetime(1973, 3, 3, 9, 46, 40, tzinfo=timezone.utc)
    assert parse_time("-1") == datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    assert parse_time(str(-EPOCH_MS_FROM)).year == 1966


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2023-02-29",
        "2024-02-30T00:00:00Z",
        "2024-13-01",
        "2024-00-01",
        "0000-01-01",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:60:00Z",
        "2024-01-01T12:00:60Z",
        "2024-01-01T12:00:00+24:00",
        "2024-01-01T12:00:00+05:60",
        "2024-01-01T12:00:00 EST",
        "2024-01-01T12:00:00ZZ",
        "24-01-01",
        "01/02/2024",
        "2024-1-1",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "1e9",
        "NaN",
        "inf",
        "\u0662\u0660\u0662\u0664-01-01",
        "\uff11\uff15\uff10\uff10\uff12\uff10\uff16\uff14\uff10\uff10",
        "9" * 30,
        "9" * 500,
        "1500206400 1500206400",
        "1500206400\n1500206400",
    ],
)
def test_what_is_no_time_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time: write 2026-12-01T06:00:00, .* or an epoch number"):
        parse_time(text)


def test_a_long_text_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueError, match="is not a time") as caught:
        parse_time("x" * 10_000)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("unit", "text", "written"),
    [
        ("iso", "2017-07-16T12:00:00Z", "2017-07-16T12:00:00Z"),
        ("iso", "2017-07-16T12:00:00.25Z", "2017-07-16T12:00:00.250Z"),
        ("epoch_s", "2017-07-16T12:00:00Z", 1500206400),
        ("epoch_s", "2017-07-16T12:00:00.25Z", 1500206400.25),
        ("epoch_ms", "2017-07-16T12:00:00Z", 1500206400000),
        ("epoch_ms", "2017-07-16T12:00:00.25Z", 1500206400250),
        ("epoch_ms", "1500206400123", 1500206400123),
        ("epoch_s", "0", 0),
    ],
)
def test_each_unit_out(unit: Unit, text: str, written: object) -> None:
    found = write_time(parse_time(text), unit)
    assert found == written
    assert type(found) is type(written)


moments = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9990, 1, 1)).map(
    lambda t: t.replace(tzinfo=timezone.utc, microsecond=t.microsecond // 1000 * 1000)
)


@examples(200)
@given(moments, st.integers(-23 * 60, 23 * 60))
def test_what_is_written_reads_back_in_any_zone(moment: datetime, minutes: int) -> None:
    assert parse_time(str(write_time(moment, "iso"))) == moment
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_time(local.isoformat()) == moment
    milliseconds = write_time(moment, "epoch_ms")
    if isinstance(milliseconds, int) and abs(milliseconds) >= EPOCH_MS_FROM:
        assert parse_time(str(milliseconds)) == moment


@examples(200)
@given(st.one_of(st.text(), st.from_regex(r"\A[-+0-9T:.Z ]{1,40}\Z")))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        moment = parse_time(text)
    except ValueError:
        return
    assert moment.tzinfo is timezone.utc


def test_a_very_long_number_is_no_time_at_once() -> None:
    with pytest.raises(ValueError, match="is not a time") as caught:
        parse_time("1" * 4000)
    assert len(str(caught.value)) < 300
    with pytest.raises(ValueError, match="is not a time"):
        parse_time("1" * 90)
