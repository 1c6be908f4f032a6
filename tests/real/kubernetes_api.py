"""The few calls to a real API server that tests make themselves: plain JSON, as administrator."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

Content = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """`path`: as the API server names it, `/api/v1/namespaces/shop/pods`. Errors are `requests.HTTPError`."""

    url: str
    token: str
    certificate: Path
    _of_thread: threading.local = field(default_factory=threading.local, repr=False)

    def ready(self) -> bool:
        return self._ask("GET", "/readyz").ok

    def get(self, path: str, **parameters: str) -> Any:
        return self._ask("GET", path, params=parameters).json()

    def items(self, path: str, **parameters: str) -> list[Content]:
        return self.get(path, **parameters)["items"]

    def create(self, path: str, content: Content, **parameters: str) -> Any:
        return self._ask("POST", path, json=content, params=parameters).json()

    def patch(self, path: str, content: Content) -> Any:
        """A merge patch: lists are replaced."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._ask("PATCH", path, data=json.dumps(content), headers=headers).json()

    def apply(self, path: str, content: Content, **parameters: str) -> Any:
        """Server-side apply; `path` ends with the object's name."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self._ask("PATCH", path, data=json.dumps(content), headers=headers, params=parameters).json()

    def delete(self, path: str, options: Content | None = None) -> None:
        self._ask("DELETE", path, json=options)

    def watch(self, path: str, **parameters: str) -> Iterator[Content]:
        """Events: first what stands there, then what happens, until the API server ends it (`requests.RequestException`)."""
        with self._ask("GET", path, params={"watch": "1", **parameters}, stream=True, timeout=(5, None)) as shown:
            for line in shown.iter_lines(chunk_size=None):
                yield json.loads(line)

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        options = {"timeout": 30, **options}
        answer = self._session().request(
            method, self.url + path, headers=headers, verify=str(self.certificate), **options
        )
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text}", response=answer)
        return answer

    def _session(self) -> requests.Session:
        """One for each thread: sessions may not be shared."""
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = requests.Session()
            self._of_thread.session.trust_env = False
        session: requests.Session = self._of_thread.session
        return session
