"""A class under other names: in every text of a report, however a name is written; and the key."""

from __future__ import annotations

import csv
import io
import random
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import accumulate
from pathlib import Path, PurePath

from tinyproof.check.classes.class_changes import Told
from tinyproof.check.classes.roster import without_ending
from tinyproof.check.classes.submissions import top_of
from tinyproof.check.finding import FileReport, LeftOut
from tinyproof.core.errors import InputError
from tinyproof.core.files import read_bounded
from tinyproof.core.plain_records import with_texts
from tinyproof.core.table import Column, Table

_MOST_BYTES = 5_000_000
_COLUMNS = ("pseudonym", "name")
_SHORT, _PLAIN = 3, 5  # letters: of shorter parts of a name none is replaced, of longer ones every writing
_NUMBER, _MIXED = 6, 4  # digits, letters with digits: of shorter ones (`0.1`, `w5`) none is replaced but in paths
_CELL = re.compile(r"[a-z]\d{3,4}|[a-z]{2}\d{2,3}")  # written large it may be a cell of a sheet
_FEW, _SHARE = 3, 0.1  # submissions that have a word in their names, until it is no name
_NO_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_NOBODY = "somebody"  # a first name that two of the class have
_LEFT_ALONE = ("rule", "fingerprint", "data", "mentioned", "kind")  # no text of a stranger's
_SMALL, _LARGE = ("".join(filter(kind, map(chr, range(0x530)))) for kind in (str.islower, str.isupper))
# Where a word begins inside of letters, AdaLovelaceHW3 and HWAdaLovelace, and what is put there: no letter of any text.
_CHANGE = re.compile(rf"(?<=[{_SMALL}])(?=[{_LARGE}])|(?<=[{_LARGE}])(?=[{_LARGE}][{_SMALL}])")
_HERE = "\uffff"
_MOST_WORDS = 8  # without a space between them
_OTHER_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "å": "aa", "æ": "ae", "ł": "l"})


Words = tuple[str, ...]


def pseudonyms(names: Iterable[str], held: Mapping[str, str]) -> dict[str, str]:
    """A pseudonym for each name: the one that it has in `held` (name: pseudonym), else a new one, drawn by lot so that
    their order says nothing."""
    new = sorted(set(names) - held.keys())
    taken = set(held.values())
    free = [word for number in range(1, len(held) + len(new) + 1) if (word := f"submission-{number:03}") not in taken]
    random.SystemRandom().shuffle(free)
    return {**held, **dict(zip(new, free, strict=False))}


def read_key(path: Path) -> dict[str, str]:
    """The pseudonyms by name of a key that was written before. Raises InputError where it is another file."""
    try:
        rows = list(csv.reader(io.StringIO(read_bounded(path, _MOST_BYTES).decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or tuple(rows[0]) != _COLUMNS or any(len(row) != 2 or not all(row) for row in rows):
        allowed = "name a new file, or a key that `tinyproof audit --anonymous` wrote"
        raise InputError("anonymous", str(path), allowed, problem="is another file")
    return {_as_it_was(name): word for word, name in rows[1:]}


def key_table(names: Mapping[str, str]) -> Table:
    """The key, by pseudonym."""
    rows = sorted((word, name) for name, word in names.items())
    return Table("key", tuple(Column(name) for name in _COLUMNS), tuple(rows))


def _as_it_was(cell: str) -> str:
    """A cell without the mark that keeps spreadsheets from running it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


class Anonymous:
    """Puts pseudonyms for names. `names`: name: pseudonym; `paths`: (submission, path) of all that is known of;
    `common`: words of texts that are not one's own (small letters), which are no names where they are written small."""

    def __init__(
        self, names: Mapping[str, str], paths: Iterable[tuple[str, str]] = (), common: Collection[str] = ()
    ) -> None:
        self.names = names
        parts = _parts(names)
        whole: dict[Words, str] = {}
        self._taken: set[str] = set()
        self._loose: dict[str, str] = {}  # files that bear the name themselves, each with a path of its own
        for submission, path in paths:
            if top_of(submission, path) in (PurePath(path).name, ""):
                self._name_loose(submission, path)
            whole.update(_whole(top_of(submission, path), names.get(submission, _NOBODY)))
        for name, word in names.items():
            whole.update(_whole(name, word))
        self._known = {"".join(words): word for words, word in {**parts, **whole}.items()}
        self._anywhere = _Finder({words: _in_text(words, words not in whole, common) for words in {**parts, **whole}})
        self._in_names = _Finder({words: _writing(words) for words in {**parts, **whole}})

    def _name_loose(self, submission: str, path: str) -> None:
        if path in self._loose:
            return
        word, suffix = self.names.get(submission, _NOBODY), PurePath(path).suffix
        named, number = word + suffix, 1
        while named in self._taken:
            number += 1
            named = f"{word}-{number}{suffix}"
        self._loose[path] = named
        self._taken.add(named)

    def text(self, text: str) -> str:
        """A text with the names in it replaced."""
        return self._anywhere.put(text, self._word)

    def _word(self, found: re.Match[str]) -> str:
        return self._known.get("".join(_words(found.group())), _NOBODY)

    def file(self, report: FileReport) -> FileReport:
        """A report of a file under other names."""
        owner = report.submission or report.file
        other = with_texts(report, self.text, _LEFT_ALONE)
        return replace(other, file=self.path(owner, report.file), submission=self.names.get(owner, _NOBODY))

    def left_out(self, left: LeftOut) -> LeftOut:
        """What was left out under other names."""
        owner = left.submission or left.file
        other = replace(left, file=self.path(owner, left.file), why=self.text(left.why))
        return replace(other, submission=self.names.get(owner, _NOBODY))

    def told(self, told: Told) -> Told:
        """A file of an earlier result under other names; one that has them already as it is."""
        owner = told.submission or told.file
        if owner in self.names.values():
            return told
        path, findings = self.path(owner, told.file), tuple(map(self.text, told.findings))
        return replace(told, submission=self.names.get(owner, _NOBODY), file=path, findings=findings)

    def path(self, submission: str, path: str) -> str:
        """A path below the pseudonym; of what stands before it nothing is left."""
        word, top = self.names.get(submission, _NOBODY), top_of(submission, path)
        parts = PurePath(path).parts
        below = parts[parts.index(top) + 1 :] if top else parts[-1:]
        if not below:
            return self._loose.get(path, word + PurePath(path).suffix)
        return "/".join([word, *(self._in_names.put(part, self._word) for part in below)])


def _words(name: str) -> Words:
    """The words of a name, in small letters."""
    return tuple(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold()))


def _whole(name: str, word: str) -> dict[Words, str]:
    """A name as it may be written: with and without the ending of a file, the last name first, first and last name
    alone or with an initial, in plain letters."""
    bare = _words(without_ending(name))
    found = {_words(name), bare, bare[::-1]}
    if len(bare) > 1 and all(map(str.isalpha, bare)):
        first, last = bare[0], bare[-1]
        found |= {(first, last), (last, first)}
        found |= {(joined,) for joined in (first[0] + last, first + last[0]) if len(joined) >= _PLAIN}
    for words in list(found):
        found |= set(zip(*map(_plain_letters, words), strict=True))
    return {words: word for words in found if words}


def _plain_letters(part: str) -> tuple[str, str]:
    """A word as it is written without its marks: `mueller` and `muller` of `müller`."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", part) if not unicodedata.combining(letter))
    return part.translate(_OTHER_LETTERS), unicodedata.normalize("NFC", bare)


def _parts(names: Mapping[str, str]) -> dict[Words, str]:
    """First and last names by themselves. Those of several are nobody's; those of many (`final`, `homework`) are no
    names."""
    owners: dict[str, set[str]] = {}
    for name, word in names.items():
        words = _words(without_ending(name))
        for part in words if len(words) > 1 else ():
            if len(part) >= _SHORT and part.isalpha():
                for written in {part, *_plain_letters(part)}:
                    owners.setdefault(written, set()).add(word)
    most = max(_FEW, _SHARE * len(names))
    return {(part,): next(iter(own)) if len(own) == 1 else _NOBODY for part, own in owners.items() if len(own) <= most}


def tokens(text: str) -> set[str]:
    """The runs of letters, and of digits, in a text, in small letters; also the words in a run that begin with
    a large one, each with those behind it."""
    runs = re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFC", text))
    found = {run.casefold() for run in runs}
    for words in (_CHANGE.split(run) for run in set(runs) if not (run.islower() or run.isupper())):
        for begin in range(len(words)):
            found.update(accumulate(map(str.casefold, words[begin : begin + _MOST_WORDS])))
    return found


class _Finder:
    """Names in texts, the longest first; of a text only those are looked for whose first letters stand in it."""

    def __init__(self, writings: Mapping[Words, str]) -> None:
        self._writings = {words: writing for words, writing in writings.items() if writing}
        self._by_start: dict[str, list[Words]] = {}
        self._unparted = [words for words in self._writings if _unparted("".join(words))]
        for words in self._writings:
            for end in range(1, len(words) + 1):
                start = re.match(r"[^\W\d_]+|\d+", "".join(words[:end]))
                if start:
                    self._by_start.setdefault(start.group(), []).append(words)

    def put(self, text: str, word: Callable[[re.Match[str]], str]) -> str:
        """The text with `word` of each name in its place."""
        there = {words for token in tokens(text) for words in self._by_start.get(token, ())}
        if not there and not self._unparted:
            return text
        longest = sorted({*there, *self._unparted}, key=lambda words: (-len("".join(words)), words))
        pattern = "|".join(self._writings[words] for words in longest)
        parted = _CHANGE.sub(_HERE, unicodedata.normalize("NFC", text))
        return re.sub(pattern, word, parted).replace(_HERE, "") if pattern else text


def _unparted(name: str) -> bool:
    """Whether a name is of a script that puts no spaces between words."""
    return any(unicodedata.name(letter, "").startswith(_NO_SPACES) for letter in name)


def _in_text(words: Words, part: bool, common: Collection[str]) -> str:
    """A regular expression for a name in a text; "" where it is looked for in paths alone: `1`, `w5`. Of a short part
    of a name, and of a single word that others use, only what is written as a name is: `max(` and *the error* stay."""
    if len(words) > 1 or _unparted(words[0]):
        return _writing(words)
    if not words[0].isalpha():
        least = _NUMBER if words[0].isdigit() else _MIXED
        return _writing(words, small=bool(_CELL.fullmatch(words[0]))) if len(words[0]) >= least else ""
    if (part and len(words[0]) < _PLAIN) or words[0] in common or len(words[0]) < _SHORT:
        return rf"(?<![\w{_HERE}])(?:{words[0].capitalize()}|{words[0].upper()})(?![\w({_HERE}])"
    return _writing(words)


def _writing(words: Words, small: bool = False) -> str:
    """A regular expression for a name: its words with anything but letters and digits between them; `small`: in small
    letters alone."""
    between = r"[\W_]*"
    if _unparted("".join(words)):
        return rf"(?i:{between.join(words)})"
    before = r"(?<!\d)" if words[0][0].isdigit() else r"(?<![^\W\d_])"
    after = r"(?!\d)" if words[-1][-1].isdigit() else r"(?![^\W\d_])"
    return rf"{before}(?{'' if small else 'i'}:{between.join(map(f'{_HERE}?'.join, words))}){after}"
