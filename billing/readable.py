"""Text that people read: what may stand in a name, and what may be an id.

An id stands for one payment, plan or document. Two ids that look alike when both are printed are
one id to whoever compares them, so an id that could be taken for another is refused. A name may be
in any script; it may only not hide, reorder or drive what is printed around it.
"""

from __future__ import annotations

import unicodedata

from edge.errors import InputError

ID_LENGTH = 200
# Letters that show nothing, though Unicode counts them as letters, marks or symbols.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\u180b\u180c\u180d\u180f"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# Scripts that one name commonly mixes with Latin letters; every other script stands alone.
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA"})
# Letters of other scripts that are drawn as Latin ones, and Latin ones drawn as others.
_LOOKALIKES = frozenset(
    "аеорсухіјѕԁԛԝһӏбвкмнтгпАВЕКМНОРСТУХІЈЅԌҮΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρυικτϲϳօսոցհԼՕՍꓐꓑꓒꓓ"
)
# Scripts of which most letters are drawn as Latin ones, and marks that strike a letter through.
_LIKE_LATIN = frozenset({"LISU", "CHEROKEE"})
_STRIKING = frozenset(map(chr, range(0x0334, 0x0339)))
_DRAWN_AS_OTHERS = frozenset("ǀǁǂǃıȷɑɡɩɪʟɴʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢſƅƖƽꜱ")


def hidden_in(text: str) -> str | None:
    """What in `text` does not show as itself when printed: "U+202E RIGHT-TO-LEFT OVERRIDE", "a line
    break", "a space at its end"; None when all of it does.
    """
    if text.isascii() and text.isprintable() and text == text.strip():
        return None
    for char in text:
        if char in "\r\n\u2028\u2029":
            return "a line break"
        if not char.isprintable() or char in _BLANK:
            return f"U+{ord(char):04X} {unicodedata.name(char, 'a control character')}"
    if text != text.strip():
        return "a space at its begin or end"
    return None


def unlike_any_other(text: str) -> str | None:
    """Why `text` could be taken for another id when both are printed; None when it could not."""
    hidden = hidden_in(text)
    if hidden is not None:
        return f"it holds {hidden}"
    if "  " in text:
        return "it holds two spaces side by side"
    if text.isascii():  # Latin letters alone, none of them drawn as another
        return None
    if unicodedata.normalize("NFKC", text) != text:
        return f"it looks like {unicodedata.normalize('NFKC', text)!r}, which is another id"
    return _odd_character(text) or _odd_letters(text)


def _odd_character(text: str) -> str | None:
    for before, char in zip(f" {text}", text, strict=False):
        if unicodedata.category(char)[0] == "M" and unicodedata.category(before)[0] not in "LM":
            return f"it holds U+{ord(char):04X} {unicodedata.name(char)} on no letter"
        if not char.isascii() and (unicodedata.category(char)[0] not in "LM"):
            name = unicodedata.name(char, "a character without a name")
            return f"it holds U+{ord(char):04X} {name}, which looks like another one"
        if char in _STRIKING:
            return f"it holds U+{ord(char):04X} {unicodedata.name(char)}, which is hard to see"
        if char in _DRAWN_AS_OTHERS:
            return (
                f"it holds U+{ord(char):04X} {unicodedata.name(char)}, which looks like another one"
            )
    return None


def _odd_letters(text: str) -> str | None:
    letters = [char for char in text if unicodedata.category(char)[0] == "L"]
    scripts = {unicodedata.name(char, "?").split()[0] for char in letters}
    if len(scripts) > 1 and not scripts <= {"LATIN", *_EAST_ASIAN}:
        return f"it mixes letters of {' and '.join(sorted(scripts)).title()}, some drawn alike"
    if scripts & _LIKE_LATIN:
        return f"it holds letters of {min(scripts & _LIKE_LATIN).title()}, drawn as Latin ones"
    if letters and "LATIN" not in scripts and all(char in _LOOKALIKES for char in letters):
        return f"its letters are {scripts.pop().title()} ones that are drawn as Latin ones"
    return None


def check_id(text: str, what: str) -> str:
    """`text` itself if it may be an id; InputError, naming it as `what`, if not."""
    if not text or len(text) > ID_LENGTH:
        raise InputError(f"{what} must be text of 1 to {ID_LENGTH} characters", "name it so")
    why = unlike_any_other(text)
    if why is not None:
        raise InputError(
            f"{what} {text!a} could be taken for another one: {why}",
            "give an id that people can tell from every other, like inv-2026-0042",
        )
    return text
