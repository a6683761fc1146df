"""Headers of TIFF files, read before anything is decoded or allocated.

A header can claim anything: pages that lead back to one another, more pixels than there is
memory for. The walk over it is bounded, and looks only at what decides whether the file is one
grey-scale image.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from autophagy_assets.errors import InputError

MAX_PAGES = 100
MAX_PIXELS = 20_000 * 20_000
MAX_BYTES = 4 * 1024**3
_MAX_TAGS = 4096  # of one page; real ones have a few dozen
_MAX_DESCRIPTION = 1024**2

_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_MIN_IS_WHITE, _MIN_IS_BLACK, _PALETTE = 0, 1, 3
_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _PHOTOMETRIC = 254, 255, 256, 257, 262
_DESCRIPTION, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT, _SUB_PAGES = 270, 277, 322, 323, 330
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
# Bytes of a value by its type in the file.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}

_GREY = "export each channel of a field of view as its own two-dimensional grey-scale TIFF"
_OME_PLANES = re.compile(r'\bSize[ZCT]\s*=\s*"(\d+)"')
_OME_FILE = re.compile(r'<(?:\w+:)?(?:UUID|BinaryOnly)\b[^>]*\b(?:FileName|MetadataFile)\s*=\s*"')


@dataclass(frozen=True)
class _Page:
    tags: dict[int, int]
    description: str
    sub_pages: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        return self.tags.get(_HEIGHT, 0), self.tags.get(_WIDTH, 0)

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def full(self) -> bool:
        """Whether it is an image of its own: no thumbnail, no mask."""
        kind = self.tags.get(_SUBFILE, 0)
        return not kind & (_REDUCED | _MASK) and self.tags.get(_OLD_SUBFILE, 1) != 2


def check_header(path: Path) -> None:
    """Refuse a TIFF whose header says that it is not one grey-scale image of a usable size.

    Raises
    ------
    InputError
        If it has too many bytes, pages or pixels, pages that lead back to one another, more than
        one full-resolution page or a thumbnail before it, colours, 0 as white, or is one of a set
        of OME-TIFF files; says what to do.
    ValueError or struct.error
        If it is damaged, or not a TIFF.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InputError(
            f"Image {path} has {size / 1024**3:.1f} GiB, and {MAX_BYTES // 1024**3} GiB is the "
            f"most: {_GREY}."
        )
    with path.open("rb") as file:
        walk = _Walk(file, size, path)
        pages = walk.pages()
    for page in [*pages, *walk.sub_pages]:
        _check_size(page, path)
    full = [page for page in pages if page.full]
    if not pages[0].full or any(
        page.pixels > pages[0].pixels for page in [*pages, *walk.sub_pages]
    ):
        raise InputError(
            f"Image {path} begins with a thumbnail: export it again without thumbnails and "
            "reduced copies."
        )
    # First, since a file of a set may have several pages too.
    _check_description(pages[0], path)
    if len(full) > 1:
        raise InputError(f"Image {path} has {len(full)} pages of full resolution: {_GREY}.")
    _check_colours(pages[0], path)


class _Walk:
    """Iterates over pages, and reads nothing outside of the file."""

    def __init__(self, file: io.BufferedReader, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path
        self.seen: set[int] = set()
        self.sub_pages: list[_Page] = []

    def pages(self) -> list[_Page]:
        start = self._read(0, 8)
        if start[:2] not in (b"II", b"MM"):
            raise ValueError("it does not begin as a TIFF does")
        self.order = "<" if start[:2] == b"II" else ">"
        version = self._number("H", start[2:])
        if version not in (42, 43):
            raise ValueError("it does not begin as a TIFF does")
        self.big = version == 43
        self.word = "Q" if self.big else "I"
        place = self._number(self.word, self._read(8, 8) if self.big else start[4:])
        pages = self._chain(place)
        if not pages:
            raise ValueError("it has no page")
        for page in pages:
            for sub_page in page.sub_pages:
                self.sub_pages += self._chain(sub_page)
        return pages

    def _chain(self, place: int) -> list[_Page]:
        pages: list[_Page] = []
        while place:
            if place in self.seen:
                raise InputError(
                    f"Image {self.path} is damaged, its pages lead back to one another: copy or "
                    "export it again."
                )
            if len(self.seen) == MAX_PAGES:
                raise InputError(f"Image {self.path} has more than {MAX_PAGES} pages: {_GREY}.")
            self.seen.add(place)
            page, place = self._page(place)
            pages.append(page)
        return pages

    def _page(self, place: int) -> tuple[_Page, int]:
        head, entry = (8, 20) if self.big else (2, 12)
        count = self._number("Q" if self.big else "H", self._read(place, head))
        if count > _MAX_TAGS:
            raise ValueError(f"a page has {count} tags")
        word = struct.calcsize(f"={self.word}")
        table = self._read(place + head, count * entry + word)
        tags: dict[int, int] = {}
        description, sub_pages = "", ()
        for start in range(0, count * entry, entry):
            tag, kind, values = struct.unpack_from(f"{self.order}HH{self.word}", table, start)
            inline = table[start + entry - word : start + entry]
            needed = _SIZES.get(kind, 0) * values
            where = self._number(self.word, inline)
            if needed > word and where + needed > self.size:
                raise ValueError("the file ends before its pages do")
            if tag == _DESCRIPTION and not description:
                length = min(needed, _MAX_DESCRIPTION)
                text = inline[:length] if needed <= word else self._read(where, length)
                description = text.decode("utf-8", "replace")
            elif kind in _NUMBERS and values:
                wanted = min(values, MAX_PAGES) if tag == _SUB_PAGES else 1
                encoded = inline if needed <= word else self._read(where, _SIZES[kind] * wanted)
                numbers = struct.unpack_from(f"{self.order}{wanted}{_NUMBERS[kind]}", encoded)
                tags.setdefault(tag, numbers[0])
                sub_pages = numbers if tag == _SUB_PAGES else sub_pages
        return _Page(tags, description, sub_pages), self._number(self.word, table[count * entry :])

    def _number(self, kind: str, content: bytes) -> int:
        return struct.unpack_from(f"{self.order}{kind}", content)[0]

    def _read(self, place: int, length: int) -> bytes:
        if place + length > self.size:
            raise ValueError("the file ends before its pages do")
        self.file.seek(place)
        return self.file.read(length)


def _check_size(page: _Page, path: Path) -> None:
    tile = page.tags.get(_TILE_HEIGHT, 0), page.tags.get(_TILE_WIDTH, 0)
    for height, width in (page.size, tile):
        if height * width > MAX_PIXELS:
            raise InputError(
                f"Image {path} claims {height} x {width} px, and {MAX_PIXELS:,} px in all is the "
                "most: export it again if that is wrong, else cut it into several fields of view."
            )


def _check_colours(page: _Page, path: Path) -> None:
    photometric, samples = page.tags.get(_PHOTOMETRIC), page.tags.get(_SAMPLES, 1)
    if samples != 1:
        raise InputError(f"Image {path} has {samples} values per pixel, as colours do: {_GREY}.")
    if photometric == _MIN_IS_BLACK:
        return
    what = {
        None: "does not say whether 0 is black or white",
        _MIN_IS_WHITE: "has 0 as white (MINISWHITE)",
        _PALETTE: "has a colour palette, so its values are no intensities",
    }.get(photometric, f"is in colour (photometric interpretation {photometric})")
    raise InputError(f"Image {path} {what}: export it as grey-scale with 0 as black (MINISBLACK).")


def _check_description(page: _Page, path: Path) -> None:
    text = page.description
    if "<OME" not in text and ":OME" not in text:
        return
    planes = 1
    for number in _OME_PLANES.findall(text)[:3]:  # of the first image
        planes *= int(number)
    files = len(_OME_FILE.findall(text))
    if planes > 1 or files > 1 or "BinaryOnly" in text:
        raise InputError(
            f"Image {path} is one of a set of OME-TIFF files, or holds several planes "
            f"({planes} planes, {files or 1} files): {_GREY}."
        )
