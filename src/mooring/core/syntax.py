"""What is wrong with a text that is no JSON (RFC 8259), in the words of Go's encoding/json: clients of Harbor know
them, and they say which byte it is, and where.
"""

import json
import re
from typing import Final

ENDS_EARLY: Final = "unexpected end of JSON input"

_LONGEST: Final = 64 << 10  # bytes that are worth the time
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)?(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?")
_HEX: Final = re.compile(rb"[0-9a-fA-F]{0,4}")
_LITERALS: Final = {b"t": b"true", b"f": b"false", b"n": b"null"}
_CLOSING: Final = {b"{": b"}", b"[": b"]"}
_VALUE: Final = "looking for beginning of value"
_KEY: Final = "looking for beginning of object key string"
_COLON: Final = "after object key"
_AFTER: Final = {b"{": "after object key:value pair", b"[": "after array element", b"": "after top-level value"}


class _Fault(Exception):
    """The message is what is wrong."""


def fault(text: bytes) -> str:
    """What is wrong first; empty when nothing is, or when the text is too long to be looked through."""
    if len(text) > _LONGEST:
        return ""
    try:
        _read(text)
    except _Fault as found:
        return str(found)
    return ""


def _read(text: bytes) -> None:
    opened: list[bytes] = []
    wanted, may_close, at = _VALUE, False, 0
    while True:
        at = _end(_SPACE, text, at)
        if at == len(text) and wanted == _AFTER[b""]:
            return
        byte = _byte(text, at)
        if may_close and opened and byte == _CLOSING[opened[-1]]:
            opened.pop()
            at += 1
            wanted, may_close = _AFTER[opened[-1] if opened else b""], True
        elif wanted == _COLON and byte == b":":
            at += 1
            wanted = _VALUE
        elif wanted in _AFTER.values() and opened and byte == b",":
            at += 1
            wanted, may_close = (_KEY if opened[-1] == b"{" else _VALUE), False
        elif wanted == _KEY and byte == b'"':
            at = _string(text, at)
            wanted, may_close = _COLON, False
        elif wanted == _VALUE and byte in _CLOSING:
            opened.append(byte)
            at += 1
            wanted, may_close = (_KEY if byte == b"{" else _VALUE), True
        elif wanted == _VALUE:
            at = _scalar(text, at)
            wanted, may_close = _AFTER[opened[-1] if opened else b""], True
        else:
            raise _invalid(text, at, wanted)


def _scalar(text: bytes, at: int) -> int:
    """Where the string, the number or the literal that begins here ends."""
    byte = _byte(text, at)
    if byte == b'"':
        return _string(text, at)
    if byte in _LITERALS:
        literal = _LITERALS[byte]
        for place, letter in enumerate(literal):
            if _byte(text, at + place)[0] != letter:
                raise _invalid(text, at + place, f"in literal {literal.decode()} (expecting '{chr(letter)}')")
        return at + len(literal)
    end = _end(_NUMBER, text, at)
    if end == at:
        raise _invalid(text, at, _VALUE)
    last = text[end - 1 : end]
    if last.isdigit():
        return end
    exponent = re.search(rb"[eE]", text[at:end])
    where = "in exponent of numeric literal" if exponent else "in numeric literal"
    raise _invalid(text, end, "after decimal point in numeric literal" if last == b"." else where)


def _string(text: bytes, at: int) -> int:
    end = _end(_STRING, text, at)
    byte = _byte(text, end)
    if byte == b'"':
        return end + 1
    if byte != b"\\":
        raise _invalid(text, end, "in string literal")
    if _byte(text, end + 1) != b"u":
        raise _invalid(text, end + 1, "in string escape code")
    raise _invalid(text, _end(_HEX, text, end + 2), "in \\u hexadecimal character escape")


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _byte(text: bytes, at: int) -> bytes:
    if at >= len(text):
        raise _Fault(ENDS_EARLY)
    return text[at : at + 1]


def _invalid(text: bytes, at: int, where: str) -> _Fault:
    character = chr(_byte(text, at)[0])
    if character in "'\\":
        quoted = f"\\{character}"
    elif character == '"':
        quoted = character
    else:
        quoted = json.dumps(character, ensure_ascii=not character.isprintable())[1:-1]
        quoted = re.sub(r"\\u00(..)", r"\\x\1" if character < "\x80" else r"\\u00\1", quoted)
    return _Fault(f"invalid character '{quoted}' {where}")
