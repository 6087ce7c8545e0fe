"""Lines of text.  Published bytes: pymeasure's tests (kepco/test_kepcobop.py, srs/test_sr830.py), InstrumentKit's
(test_lakeshore475.py) and the Kepco BOP manuals; the bytes are facts, with their source beside them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import scpi
from drivers.wire.errors import Malformed

numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("published", "value"),
    [
        ("4.99E-3", 0.00499),  # pymeasure KepcoBOP: MEASure:CURRent?
        ("9.989E-2", 0.09989),  # pymeasure KepcoBOP: CURRent?
        ("8.0E-3", 0.008),  # pymeasure KepcoBOP: MEASure:VOLTage?
        ("1.000E-1", 0.1),  # pymeasure KepcoBOP: VOLTage?
        ("6.0E0", 6.0),  # Kepco TMA 4882-27 manual B.10
        ("200.", 200.0),  # InstrumentKit Lakeshore475: RDGFIELD?
        ("+4.2E+1", 42.0),  # InstrumentKit Lakeshore475: CPARAM?
        ("-4.17234e-007", -4.17234e-7),  # pymeasure SR830: SNAP?
        ("-0.000500266", -0.000500266),  # pymeasure SR830: OUTP?1
        ("121.98", 121.98),  # pymeasure SR830: FREQ?
    ],
)
def test_published_numbers(published, value):
    assert scpi.number(published) == value


@pytest.mark.parametrize("bad", ["", "OL", "nan", "inf", "1e", "--1", "1.2.3", "0x10", "1_000", "1 2", "٣"])
def test_what_is_no_number(bad):
    with pytest.raises(Malformed):
        scpi.number(bad)


@pytest.mark.parametrize(("published", "value"), [(0.09989, "9.989E-2"), (0.1, "1.000E-1")])
def test_kepco_writes_exponents_without_padding(published, value):
    assert scpi.exponential(published) == value  # pymeasure KepcoBOP


@given(numbers)
def test_exponential_is_read_back(value):
    assert scpi.number(scpi.exponential(value, 17)) == value


@given(st.floats(min_value=-9999, max_value=9999))
def test_decimal_fits_kepcos_number_format(value):
    written = scpi.decimal(value)
    before, _, after = written.lstrip("-").partition(".")
    assert len(before) <= 4
    assert len(after) <= 8
    assert "E" not in written.upper()
    assert abs(scpi.number(written) - value) <= 0.5001e-5
    assert written != "-0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10000.0, -12345.0])
def test_what_does_not_fit_kepcos_number_format(value):
    with pytest.raises(Malformed):
        scpi.decimal(value)


def test_integers():
    assert scpi.integer("+1") == 1
    assert scpi.integer("48") == 48  # Kepco manual: *ESR? example
    with pytest.raises(Malformed):
        scpi.integer("1.5")


def test_errors():
    assert scpi.error('0,"No error"') == (0, "No error")  # Kepco BOP-1kW manual, table B-5
    assert scpi.error('-222,"Data out of range"') == (-222, "Data out of range")
    with pytest.raises(Malformed):
        scpi.error("No error")


def test_answers_to_several_queries():
    assert scpi.fields(b"1.0E0;2.0E0;0\n", 3) == ["1.0E0", "2.0E0", "0"]
    assert scpi.fields(b"-4.17234e-007,-5.9605e-007\n4\n", 2) == ["-4.17234e-007,-5.9605e-007", "4"]
    assert scpi.fields(b'-113,"Undefined header;VLOT"\n', 1) == ['-113,"Undefined header;VLOT"']
    for frame, count in ((b"1;2\n", 1), (b"1\n", 2), (b"\n", 1), (b"\xff\xfe\n", 1), (b"1;\n", 2)):
        with pytest.raises(Malformed):
            scpi.fields(frame, count)


def test_message_is_one_line_of_bounded_length():
    assert scpi.message("CURR 1.5", ":OUTP?") == b"CURR 1.5;:OUTP?\n"
    assert len(scpi.message("A" * 253)) == 254  # Kepco: strings up to 253 characters
    with pytest.raises(Malformed):
        scpi.message("A" * 254)


def test_framings():
    assert scpi.LF(b"abc") is None
    assert scpi.LF(b"abc\nd") == 4
    assert scpi.CR_LF(b"abc\n") is None
    assert scpi.CR_LF(b"abc\r\n") == 5
    assert scpi.any_end(b"a\r\n") == 2
    assert scpi.any_end(b"a\nb\r") == 2
    assert scpi.any_end(b"a") is None
    two = scpi.lines(2)
    assert two(b"1\n") is None
    assert two(b"1\n2\n3\n") == 4


@pytest.mark.parametrize(
    ("message", "headers"),
    [  # Kepco manuals: BOP 1kW-MG 3.6.4.7 and 3.6.6
        (b"VOLT:LEV:IMM 16\n", ["VOLT:LEV:IMM"]),
        (b":CURR:LEV:IMM 4\n", ["CURR:LEV:IMM"]),
        (b"VOLT:LEV 6;:CURR:LEV 15\n", ["VOLT:LEV", "CURR:LEV"]),
        (b"INIT ON;:TRIG;:MEAS:CURR?;VOLT?\n", ["INIT", "TRIG", "MEAS:CURR", "MEAS:VOLT"]),
        (b"meas:volt?;curr?\n", ["MEAS:VOLT", "MEAS:CURR"]),
        (b"meas:volt?;:curr?\n", ["MEAS:VOLT", "CURR"]),
        (b"CURR:LEV 3.5;:OUTP ON;:CURR?\n", ["CURR:LEV", "OUTP", "CURR"]),
        (b"STAT:OPER?;PRES\n", ["STAT:OPER", "STAT:PRES"]),
        (b"MEAS:CURR?;*ESR?;VOLT?\n", ["MEAS:CURR", "*ESR", "MEAS:VOLT"]),  # IEEE 488.2
    ],
)
def test_headers_are_resolved_as_the_manual_says(message, headers):
    assert [unit.header for unit in scpi.units(message)] == headers


def test_units_tell_queries_and_arguments():
    assert list(scpi.units(b"CURR 0.1;:CURR?\n")) == [("CURR", False, "0.1"), ("CURR", True, "")]


def test_spellings():
    forms = scpi.spellings("MEASure[:SCALar]:CURRent[:DC]")
    assert {"MEAS:CURR", "MEASURE:CURRENT", "MEAS:SCAL:CURR:DC", "MEASURE:SCALAR:CURRENT:DC"} <= forms
    assert "MEASU:CURR" not in forms  # an arbitrary short form is an error (Kepco BIT 232 manual 4.4.4)
    assert scpi.spellings("[SOURce]:CURRent") >= {"CURR", "SOUR:CURR", "SOURCE:CURRENT"}
    assert scpi.spellings("*IDN") == {"*IDN"}


@given(st.binary(max_size=80))
def test_decoders_raise_nothing_but_malformed(frame):
    for decode in (scpi.text, lambda f: scpi.fields(f, 2), lambda f: list(scpi.units(f))):
        with contextlib.suppress(Malformed):
            decode(frame)
    text = frame.decode("latin-1")
    for decode in (scpi.number, scpi.integer, scpi.error):
        with contextlib.suppress(Malformed):
            decode(text)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_framings_do_not_depend_on_how_bytes_arrive(buffer, cut):
    for framing in (scpi.LF, scpi.CR_LF, scpi.any_end, scpi.lines(2)):
        early = framing(buffer[:cut])
        if early is not None:
            assert framing(buffer) == early
