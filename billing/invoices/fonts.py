"""Which package has the font for a character that no font at hand can show."""

from __future__ import annotations

# Scripts by their first and last code point, and the Debian package with a font for them. The
# renderer decides whether a font is missing; this only says where to get one.
_PACKAGES = (
    (0x1100, 0x11FF, "fonts-noto-cjk"),
    (0x2E80, 0xA4CF, "fonts-noto-cjk"),
    (0xA960, 0xA97F, "fonts-noto-cjk"),
    (0xAC00, 0xD7FF, "fonts-noto-cjk"),
    (0xF900, 0xFAFF, "fonts-noto-cjk"),
    (0xFE30, 0xFE4F, "fonts-noto-cjk"),
    (0xFF00, 0xFFEF, "fonts-noto-cjk"),
    (0x1F000, 0x1FAFF, "fonts-noto-color-emoji"),
    (0x20000, 0x3FFFF, "fonts-noto-cjk"),
)
OTHER_SCRIPTS = "fonts-noto-core"
SHOWN = 12


def named(characters: str) -> str:
    """The characters as a person can look for them: themselves and their code points."""
    points = ", ".join(f"U+{ord(one):04X}" for one in characters[:3])
    more = "…" if len(characters) > SHOWN else ""
    return f"«{characters[:SHOWN]}{more}» ({points}{', …' if len(characters) > 3 else ''})"


def packages(characters: str) -> tuple[str, ...]:
    """The packages that have fonts for these characters, each once."""
    return tuple(dict.fromkeys(_package(ord(one)) for one in characters))


def font_hint(characters: str) -> str:
    """What to do about them."""
    found = packages(characters)
    return (
        f"install {' and '.join(found)} (Debian), or put a font file that has them into"
        " HOME/fonts, then run it again"
    )


def _package(point: int) -> str:
    for first, last, package in _PACKAGES:
        if first <= point <= last:
            return package
    return OTHER_SCRIPTS
