"""Files whose content stands elsewhere or is encrypted: a pointer of Git LFS, git-crypt, sops, and their like.

What Git holds is what is deployed from, so such a file is named for what it is, wherever it is read.
"""

from __future__ import annotations

import re

from release_tool.errors import ReleaseError

_POINTER = "is a pointer of {}: Git doesn't hold the file itself"
_ENCRYPTED = "is encrypted by {}"
# How a file begins, and what it is then.
_BEGINNINGS = {
    "version https://git-lfs.github.com/spec/": _POINTER.format("Git LFS"),
    "version https://hawser.github.com/spec/": _POINTER.format("Git LFS"),
    "/annex/objects/": _POINTER.format("git-annex"),
    "\0GITCRYPT\0": _ENCRYPTED.format("git-crypt"),
    "U2FsdGVkX1": _ENCRYPTED.format("transcrypt, or by OpenSSL"),
    "$ANSIBLE_VAULT;": _ENCRYPTED.format("Ansible Vault"),
    "age-encryption.org/v1": _ENCRYPTED.format("age"),
    "-----BEGIN AGE ENCRYPTED FILE-----": _ENCRYPTED.format("age"),
    "-----BEGIN PGP MESSAGE-----": _ENCRYPTED.format("PGP"),
}
_FIRST = tuple(_BEGINNINGS)
_LONGEST = max(map(len, _FIRST))
_SOPS = r'(?m)^sops:|"sops":'


def is_foreign(content: str | bytes) -> bool:
    """Whether a content is a pointer, or encrypted as a whole."""
    text = content[:_LONGEST].decode("utf-8", "replace") if isinstance(content, bytes) else content
    return text.startswith(_FIRST)


def demand_content(content: str | bytes, path: str) -> None:
    """Raise ReleaseError where a content is foreign."""
    if not is_foreign(content):
        return
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    what = next(meaning for beginning, meaning in _BEGINNINGS.items() if text.startswith(beginning))
    raise ReleaseError(
        f"the file {what}",
        where=path,
        cause=".gitattributes sends it through a filter, or somebody encrypted it; who deploys from Git sees just this",
        hint=f"commit the plain file: add the line `{path} -filter -diff -merge` to .gitattributes, then "
        f"`git add --renormalize {_quoted(path)}`, in a checkout where the file can be read",
        page="reference/commands/check.md#which-files-are-read",
    )


def demand_plain(text: str, path: str) -> None:
    """The same, also for a text whose values sops has encrypted."""
    demand_content(text, path)
    if by_sops(text):
        raise ReleaseError(
            "the values of the file are encrypted by sops",
            where=path,
            cause="versions and their record are no secrets, and the tool has no key",
            hint=f"decrypt the file: `sops decrypt --in-place {_quoted(path)}`, and take its path out of .sops.yaml",
            page="reference/commands/check.md#which-files-are-read",
        )


def by_sops(text: str) -> bool:
    """Whether sops has encrypted values of a YAML or JSON text."""
    return "ENC[AES256_GCM," in text and re.search(_SOPS, text) is not None


def without_sops(text: str) -> str:
    """The values as who decrypts them deploys them, but for what is encrypted: without the key that sops adds."""
    if not by_sops(text):
        return text
    return re.sub(r"(?ms)^sops:.*?(?=^[^\s]|\Z)", lambda found: "\n" * found[0].count("\n"), text)


def _quoted(path: str) -> str:
    import shlex  # for an error alone

    return shlex.quote(path)
