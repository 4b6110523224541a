"""Pictures that strangers sent: decoded within bounds and painted anew, so that only pixels pass.

No script, no second format hidden behind the first, no place and no camera goes through. SVG is a document,
and never a picture here.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 16_000_000
MAX_SIDE = 1600
ACCEPT = "image/webp,image/png,image/jpeg,image/gif"
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


@dataclass(frozen=True)
class Picture:
    content: bytes
    content_type: str


def repaint(raw: bytes) -> Picture | None:
    """The (first) picture in `raw` as PNG or JPEG of at most 1,600 pixels a side; None where there is none.

    What the sender's server called it is not asked: the bytes say what they are.
    """
    if len(raw) > MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=_FORMATS) as found:
                if found.width * found.height > MAX_PIXELS or min(found.size) <= 1:
                    return None
                found.draft("RGB", (MAX_SIDE, MAX_SIDE))
                return _painted(found)
    except Exception:  # noqa: BLE001 - a stranger's bytes break decoders in ways that nobody lists
        return None


def _painted(found: Image.Image) -> Picture:
    see_through = found.mode in ("RGBA", "LA", "PA") or "transparency" in found.info
    image = ImageOps.exif_transpose(found).convert("RGBA" if see_through else "RGB")
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    # Only the pixels: comments, profiles and places stay behind.
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    into = io.BytesIO()
    if see_through or found.format in ("PNG", "GIF"):
        bare.save(into, "PNG")
        return Picture(into.getvalue(), "image/png")
    bare.save(into, "JPEG", quality=85)
    return Picture(into.getvalue(), "image/jpeg")
