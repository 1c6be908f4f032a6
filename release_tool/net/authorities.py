"""The certificates of the authorities that a person trusts: one file for all that is asked by HTTP, and for git."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "RELEASE_CA_BUNDLE"


def bundle(environ: Mapping[str, str]) -> str:
    """The absolute path of the file; empty: each library, and git, has its own ways.

    Raises:
        ReleaseError: there is no such file, or no certificate is in it.
    """
    named = environ.get(VARIABLE, "").strip()
    return _checked(str(Path(named).absolute())) if named else ""


@cache
def _checked(path: str) -> str:
    import ssl

    if not Path(path).is_file():
        raise _refused("names no file", path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise _refused("names a file without a certificate that can be read", path) from None
    except OSError as error:
        raise _refused(f"names a file that can't be read: {error.strerror}", path) from None
    return path


def _refused(what: str, path: str) -> ReleaseError:
    hint = "let it name a file in PEM (-----BEGIN CERTIFICATE-----), with all authorities that are to be trusted"
    return ReleaseError(f"{VARIABLE} {what}", where=path, hint=hint, page="reference/environment-variables.md")
