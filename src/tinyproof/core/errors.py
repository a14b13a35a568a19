"""One tree of exceptions. A message is one line that says field, value, what is allowed and where.

The command line prints `str(error)` and exits with code 2; nothing here ever reaches a user as a traceback.
"""

from __future__ import annotations


class TinyproofError(Exception):
    """Anything that the user can put right: a wrong value, a broken file, a folder that cannot be written."""


class InputError(TinyproofError):
    """A value that somebody gave is not allowed; or, with a `problem`, what is the matter with it, and `allowed` says
    what to do. A value that is missing is None there.

    >>> print(InputError("epochs", 0, "a whole number from 1 to 1000", "recipe.toml"))
    epochs: 0 is not allowed; allowed: a whole number from 1 to 1000 (recipe.toml)
    >>> print(InputError("data", "mnits", "name a folder", problem="is not there"))
    data: 'mnits' is not there; name a folder
    >>> print(InputError("epochs", None, "Recipe needs it", "recipe.toml", problem="is missing"))
    epochs is missing; Recipe needs it (recipe.toml)
    """

    def __init__(self, field: str, value: object, allowed: str, where: str = "", *, problem: str = "") -> None:
        self.field, self.value, self.allowed, self.where = field, value, allowed, where
        self.problem = problem
        try:
            shown = repr(value) if isinstance(value, str) else str(value)
        except (RecursionError, ValueError):
            shown = "a number of thousands of digits" if isinstance(value, int) else "tables in tables without end"
        shown = one_line(shown, 120)
        named = field if value is None and problem else f"{field}: {shown}"
        said = f"{problem}; {allowed}" if problem else f"is not allowed; allowed: {allowed}"
        super().__init__(f"{named} {said}" + (f" ({where})" if where else ""))


class DataError(TinyproofError):
    """A file is there but is not what it should be: truncated, tampered, of another kind.

    >>> print(DataError("train-labels-idx1-ubyte", "has 60 bytes where 60008 are expected", "fetch it again"))
    train-labels-idx1-ubyte: has 60 bytes where 60008 are expected; fetch it again
    """

    def __init__(self, what: str, problem: str, remedy: str = "") -> None:
        self.what, self.problem, self.remedy = what, problem, remedy
        super().__init__(f"{one_line(what, 200)}: {problem}" + (f"; {remedy}" if remedy else ""))


class MissingDependency(TinyproofError):
    """An optional package is not installed.

    >>> print(MissingDependency("torch", "training", "train"))
    training needs torch, which is not installed; install it with: pip install 'tinyproof[train]'
    """

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        self.package = package
        super().__init__(
            f"{purpose} needs {package}, which is not installed; install it with: pip install 'tinyproof[{extra}]'"
        )


class OutputError(TinyproofError):
    """Something could not be written: no permission, a full disk, a folder where a file should be.

    >>> print(OutputError("out/report.html", "no space left on the device"))
    out/report.html: cannot be written: no space left on the device; nothing half-written was left behind
    """

    def __init__(self, path: object, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(
            f"{one_line(str(path), 200)}: cannot be written: {reason}; nothing half-written was left behind"
        )


class Stopped(TinyproofError):
    """The user stopped the work (Ctrl-C), and the message says how to go on. Exit code 130."""


def said(error: BaseException, limit: int = 120) -> str:
    """The kind of an error and what it says, on one line; its kind alone where a stranger's error cannot say it.

    >>> said(ValueError("no\\nnumber"))
    'ValueError: no number'
    """
    kind = type(error).__name__
    try:
        return f"{kind}: {one_line(str(error), limit)}"
    except Exception:
        return kind


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` on one line without control characters, at most `limit` characters (the middle is cut).

    >>> one_line("a\\nb\\x1b[0m")
    'a b [0m'
    """
    clean = "".join(c if c.isprintable() else " " for c in text)
    if len(clean) <= limit:
        return clean
    half = (limit - 1) // 2
    return clean[:half] + "…" + clean[-half:]
