"""Modbus RTU frames and their checksum: pymodbus's codec behind this project's framing, bytes to values and back.

Registers hold signed 16-bit numbers here.  Where a frame ends is asked of pymodbus too, from the first byte that is
the unit's address followed by the function that was asked for; gaps between frames cannot be seen in a byte stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing

READ, WRITE, WRITE_MANY = 3, 6, 16
EXCEPTIONS = {
    1: "function not supported",
    2: "no such register",
    3: "value out of range",
    4: "device failure",
    6: "busy",
}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3

_HOST = DecodePDU(is_server=False)
_UNIT = DecodePDU(is_server=True)


def read_request(unit: int, register: int, count: int = 1) -> bytes:
    return _frame(ReadHoldingRegistersRequest(address=register, count=count, dev_id=unit))


def write_request(unit: int, register: int, value: int) -> bytes:
    """Raises `Malformed` if `value` is no signed 16-bit number."""
    if not -0x8000 <= value <= 0x7FFF:
        raise Malformed(f"{value} does not fit a register")
    return _frame(WriteSingleRegisterRequest(address=register, registers=[value & 0xFFFF], dev_id=unit))


def answer_framing(unit: int, function: int) -> Framing:
    """Where the answer of `unit` to `function` ends, or its exception."""
    return _framing(_HOST, unit, (function, function | 0x80))


def request_framing(unit: int) -> Framing:
    """How a unit divides what a host sends."""
    return _framing(_UNIT, unit, (READ, WRITE, WRITE_MANY))


def parse_answer(frame: bytes, unit: int, function: int) -> list[int] | int:
    """The registers of a read, as signed numbers; what a write says it wrote; an exception is -(its code).

    Raises `Malformed`.
    """
    pdu = _parse(_HOST, frame, unit, (function, function | 0x80))
    match pdu:
        case ExceptionResponse():
            return -int(pdu.exception_code)
        case ReadHoldingRegistersResponse() | WriteSingleRegisterResponse():
            return [signed(value) for value in pdu.registers]
        case WriteMultipleRegistersResponse():
            return [int(pdu.count)]
    raise Malformed(f"{frame!r} is no answer to function {function}")


def parse_request(frame: bytes, unit: int) -> tuple[int, int, list[int] | int]:
    """Function, first register, and the values to write or how many to read.  Raises `Malformed`."""
    pdu = _parse(_UNIT, frame, unit, (READ, WRITE, WRITE_MANY))
    match pdu:
        case ReadHoldingRegistersRequest():
            return READ, pdu.address, pdu.count
        case WriteSingleRegisterRequest():
            return WRITE, pdu.address, [signed(value) for value in pdu.registers]
        case WriteMultipleRegistersRequest():
            return WRITE_MANY, pdu.address, [signed(value) for value in pdu.registers]
    raise Malformed(f"{frame!r} is no request that is answered here")


def read_answer(unit: int, values: Sequence[int]) -> bytes:
    registers = [value & 0xFFFF for value in values]
    return _frame(ReadHoldingRegistersResponse(registers=registers, dev_id=unit))


def write_answer(unit: int, function: int, register: int, values: Sequence[int]) -> bytes:
    if function == WRITE:
        return _frame(WriteSingleRegisterResponse(address=register, registers=[values[0] & 0xFFFF], dev_id=unit))
    return _frame(WriteMultipleRegistersResponse(address=register, count=len(values), dev_id=unit))


def exception(unit: int, function: int, code: int) -> bytes:
    return _frame(ExceptionResponse(function, exception_code=code, device_id=unit))


def signed(value: int) -> int:
    return value - 0x10000 if value & 0x8000 else value


def _frame(pdu: ModbusPDU) -> bytes:
    return bytes(FramerRTU(_HOST).buildFrame(pdu))


def _framing(decoder: DecodePDU, unit: int, functions: tuple[int, ...]) -> Framing:
    def framing(buffer: bytes) -> int | None:
        start = _start(buffer, unit, functions)
        if start is None:
            return None
        ends = _size(decoder, buffer[start:])
        return None if ends is None or len(buffer) < start + ends else start + ends

    return framing


def _start(buffer: bytes, unit: int, functions: tuple[int, ...]) -> int | None:
    for at in range(len(buffer) - 1):
        if buffer[at] == unit and buffer[at + 1] in functions:
            return at
    return None


def _size(decoder: DecodePDU, frame: bytes) -> int | None:
    """Of the frame at the start of `frame`; None while too little has come to know."""
    kind = decoder.lookupPduClass(frame)
    if kind is None:
        return None
    try:
        return int(kind.calculateRtuFrameSize(frame)) or None
    except (IndexError, ValueError):
        return None


def _parse(decoder: DecodePDU, frame: bytes, unit: int, functions: tuple[int, ...]) -> ModbusPDU:
    start = _start(frame, unit, functions)
    if start is None:
        raise Malformed(f"{frame!r} is no frame of unit {unit}")
    try:
        _, pdu = FramerRTU(decoder).handleFrame(frame[start:], unit, 0)
    except (ModbusException, ValueError, IndexError) as error:
        raise Malformed(f"{frame!r} is no frame of unit {unit}: {error}") from error
    if pdu is None:
        raise Malformed(f"{frame!r} is no frame of unit {unit}, or its checksum is wrong")
    return pdu
