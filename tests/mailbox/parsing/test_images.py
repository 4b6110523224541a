"""Strangers' pictures: only pixels pass, within bounds (threats T16, T18)."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from mailbox.parsing.images import MAX_BYTES, MAX_SIDE, repaint


def drawn(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: object) -> bytes:
    into = io.BytesIO()
    Image.new(mode, size, 7).save(into, kind, **more)
    return into.getvalue()


def said_size(width: int, height: int) -> bytes:
    """A PNG that claims to be so large, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 10_000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "mode", "becomes"),
    [
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("GIF", "P", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("WEBP", "RGB", "image/jpeg"),
        ("WEBP", "RGBA", "image/png"),
    ],
)
def test_it_paints_four_kinds_anew(kind: str, mode: str, becomes: str) -> None:
    found = repaint(drawn(kind, mode=mode))
    assert found is not None
    assert found.content_type == becomes
    with Image.open(io.BytesIO(found.content)) as again:
        assert again.size == (40, 30)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "TGA", "PDF", "EPS"])
def test_it_takes_no_other_kind(kind: str) -> None:
    assert repaint(drawn(kind)) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"<html><script>alert(1)</script>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0 no more than a beginning",
    ],
)
def test_it_makes_nothing_of_what_is_no_picture(raw: bytes) -> None:
    assert repaint(raw) is None


def test_it_lets_nothing_through_but_pixels() -> None:
    script = b"<script>alert(document.domain)</script>"
    with_comment = drawn("JPEG", comment=script, exif=b"Exif\0\0" + script)
    for raw in (with_comment, drawn("PNG") + script, drawn("GIF", mode="P", comment=script) + script):
        assert script in raw
        found = repaint(raw)
        assert found is not None
        assert script not in found.content


@pytest.mark.parametrize("size", [(20_000, 20_000), (65_535, 65_535), (16_000_001, 2)])
def test_it_is_not_blown_up(size: tuple[int, int]) -> None:
    assert repaint(said_size(*size)) is None


def test_it_takes_no_tracker_and_no_giant() -> None:
    assert repaint(drawn("GIF", (1, 1), mode="P")) is None
    assert repaint(drawn("PNG") + b"\0" * MAX_BYTES) is None
    found = repaint(drawn("JPEG", (3000, 1500)))
    assert found is not None
    with Image.open(io.BytesIO(found.content)) as again:
        assert again.size == (MAX_SIDE, MAX_SIDE // 2)


def test_it_survives_any_bytes() -> None:
    dice = random.Random(5)
    for raw in (drawn("PNG"), drawn("GIF", mode="P"), drawn("JPEG"), drawn("WEBP")):
        for _ in range(100):
            broken = bytearray(raw)
            for _ in range(dice.randint(1, 8)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            found = repaint(bytes(broken[: dice.randint(1, len(broken))]))
            assert found is None or found.content_type in ("image/png", "image/jpeg")
