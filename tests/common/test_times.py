"""Times: all forms that are read, all units that are written, and what is refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common.times import UNITS, Unit, convert_time, parse_time, sent_instant, write_time
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
        "20170716T120000Z",
        "20170716T1200",
        "20170716T080000-0400",
        "20170716 120000,0Z",
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


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (631152000, datetime(1990, 1, 1)),
        (4133980799, datetime(2100, 12, 31, 23, 59, 59)),
        ("631152000000", datetime(1990, 1, 1)),
        (4133980799999, datetime(2100, 12, 31, 23, 59, 59, 999_000)),
        (1748390400.25, datetime(2025, 5, 28, 0, 0, 0, 250_000)),
        (1748390400250.0, datetime(2025, 5, 28, 0, 0, 0, 250_000)),
        (20281201, datetime(2028, 12, 1)),
        ("20281201", datetime(2028, 12, 1)),
        (20281201.0, datetime(2028, 12, 1)),
        ("20281201.0", datetime(2028, 12, 1)),
        ("19010203", datetime(1901, 2, 3)),
    ],
)
def test_a_bare_number_is_a_date_or_an_epoch(value: object, moment: datetime) -> None:
    assert parse_time(value) == moment.replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (47088, "47088 looks like a spreadsheet date: 2028-12-01; write"),
        ("47088.5", "47088.5 looks like a spreadsheet date: 2028-12-01T12:00:00Z; write"),
        (
            20281301,
            "20281301 is not a time between 1990 and 2100: as epoch seconds it is 1970-08-23T17:41:41Z",
        ),
        (20281201.5, "20281201.5 is not a time between 1990 and 2100"),
        (631151999, "as epoch seconds it is 1989-12-31T23:59:59Z"),
        (4133980800, "as epoch seconds it is 2101-01-01"),
        (0, "0 is not a time between 1990 and 2100: as epoch seconds it is 1970-01-01"),
        (-1748390400, "is not a time between 1990 and 2100"),
        (20261201060000, "20261201060000 looks like a time without its T: 2026-12-01T06:00:00Z"),
        (1748390400000000, "looks like epoch microseconds: 2025-05-28"),
        ("1748390400000000000", "looks like epoch nanoseconds: 2025-05-28"),
        (10**60, "is not a time"),
        (1e300, "is not a time"),
        (float("nan"), "is not a time"),
        (True, "expected a time, got a boolean"),
        ([1748390400], "expected a time, got an array"),
        ({}, "expected a time, got an object"),
        (None, "expected a time, got null"),
    ],
)
def test_any_other_number_is_refused_with_what_it_looks_like(value: object, understood: str) -> None:
    with pytest.raises(ValueError, match=re.escape(understood)):
        parse_time(value)


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
        "2024-0101",
        "202401-01",
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
        ("epoch_ms", "2017-07-16T12:00:00.9999Z", 1500206400999),
        ("iso", "2017-07-16T12:00:00.9999Z", "2017-07-16T12:00:00.999Z"),
        ("epoch_s", "1970-01-01", 0),
        ("epoch_ms", "1875-01-01", -2997907200000),
        ("date", "2017-07-16", "2017-07-16"),
        ("date", "20170716", "2017-07-16"),
        ("date", "1500163200", "2017-07-16"),
        ("after_epoch_s", "BEFORE  20170716T120000Z", "before 1500206400"),
    ],
)
def test_each_unit_out(unit: Unit, text: str, written: object) -> None:
    found = convert_time(text, unit)
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


def test_a_time_of_day_is_no_date() -> None:
    with pytest.raises(ValueError, match="2017-07-16T12:00:00Z has a time of day, but a date is expected"):
        convert_time("2017-07-16T12:00:00Z", "date")


def spellings(moment: datetime, zone: timezone) -> list[object]:
    """Ten ways to write one instant, to the millisecond."""
    milliseconds = round(moment.timestamp() * 1000)
    local = moment.astimezone(zone)
    basic = f"{local:%Y%m%dT%H%M%S}.{local.microsecond // 1000:03}"
    return [
        moment.isoformat(),
        moment.replace(tzinfo=None).isoformat(" ") + "Z",
        local.isoformat(timespec="milliseconds").replace(".", ","),
        f"{basic}{local:%z}",
        f"{moment:%Y%m%dT%H%M%S}.{milliseconds % 1000:03}",
        milliseconds,
        f" {milliseconds}.0 ",
        float(milliseconds),
        milliseconds / 1000,
        f"{milliseconds // 1000}.{milliseconds % 1000:03}",
    ]


of_our_age = st.integers(631152000000, 4133980799999).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)
)


@examples(200)
@given(of_our_age, st.integers(-23 * 60, 23 * 60), st.sampled_from([u for u in UNITS if u != "date"]))
def test_ten_spellings_of_an_instant_are_sent_and_shown_as_one(
    moment: datetime, minutes: int, unit: Unit
) -> None:
    sent = {convert_time(value, unit) for value in spellings(moment, timezone(timedelta(minutes=minutes)))}
    assert len(sent) == 1
    shown = sent_instant(sent.pop(), unit)
    assert parse_time(shown.removeprefix("after ")) == moment


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
