"""The API server of a cluster: whichever way the kubeconfig leads there, and what it answers, as it came.

The one module that knows the client library. What can't be read is `Unreadable`, which says why.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import kubernetes
import urllib3

from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PAGE, _PAGES = 500, 40


class Unreadable(Exception):
    """Nothing can be told; the text says why."""


class Resource(NamedTuple):
    """Objects of one kind, as the API names them."""

    group: str  # empty: Kubernetes' core
    version: str
    plural: str
    kind: str

    @property
    def title(self) -> str:
        """As permissions name it: `deployments (apps)`."""
        return f"{self.plural} ({self.group})" if self.group else self.plural


class Cluster:
    """One API server; of the environment variables `KUBECONFIG` is read. For several threads at once."""

    def __init__(self, context: str, environ: Mapping[str, str]) -> None:
        """`context`: of the kubeconfig; empty: the current one, or the cluster around."""
        self._context = context
        self._kubeconfig = environ.get("KUBECONFIG") or "~/.kube/config"
        self._lock = Lock()
        self._client: Any = None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def get(self, resource: Resource, namespace: str, name: str, end: float) -> Mapping[str, Any]:
        """One object; `end` is when an answer comes too late, by `time.monotonic`."""
        api = kubernetes.client.CustomObjectsApi(self._connected())  # one way for Kubernetes' own groups, too
        where = (resource.group, resource.version, namespace, resource.plural, name)
        return _asked(partial(api.get_namespaced_custom_object, *where), resource, resource.kind, end)

    def list(self, resource: Resource, namespace: str, end: float, selector: str = "") -> Iterator[Mapping[str, Any]]:
        """The objects of a namespace, page by page; `selector`: of labels; empty: all."""
        client = self._connected()
        if resource.group:
            where = (resource.group, resource.version, namespace, resource.plural)
            ask = partial(kubernetes.client.CustomObjectsApi(client).list_namespaced_custom_object, *where)
        else:  # the core's only list here
            ask = partial(kubernetes.client.CoreV1Api(client).list_namespaced_pod, namespace)
        query: dict[str, Any] = {"limit": _PAGE, **({"label_selector": selector} if selector else {})}
        for _ in range(_PAGES):
            found = _asked(partial(ask, **query), resource, f"{resource.kind}List", end)
            yield from (item for item in listed(found, "items") if isinstance(item, dict))
            mark = mapping(found, "metadata").get("continue")
            if not mark:
                return
            query["_continue"] = str(mark)
        raise Unreadable(f"there are more than {_PAGE * _PAGES} {resource.plural}")

    def _connected(self) -> Any:
        """The client: by the kubeconfig, or as the pod's service account where there is none."""
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._connect()
                except Unreadable:
                    raise
                except Exception as error:  # noqa: BLE001 (a broken file, a plug-in for logins: they raise what they like)
                    raise Unreadable(f"there is no way into the cluster: {phrase(str(error))}") from None
            return self._client

    def _connect(self) -> Any:
        configuration = kubernetes.client.Configuration()
        failures = _Failures()
        logging.getLogger().addHandler(failures)
        try:
            kubernetes.config.load_kube_config(
                config_file=self._kubeconfig,
                context=self._context or None,
                client_configuration=configuration,
                persist_config=False,
            )
            if failures.told:
                program = phrase(_login_program(self._kubeconfig, self._context))
                why = phrase(failures.told[0].removeprefix("exec: "))
                raise Unreadable(f"the program {program} of the kubeconfig gives no login: {why}")
        except kubernetes.config.ConfigException as error:
            if self._context:
                raise
            try:
                kubernetes.config.load_incluster_config(client_configuration=configuration)
            except kubernetes.config.ConfigException:
                raise error from None
        finally:
            logging.getLogger().removeHandler(failures)
        configuration.retries = urllib3.Retry(0, redirect=0)
        return kubernetes.client.ApiClient(configuration)


class _Failures(logging.Handler):
    """What the library logs, at the root, where a program gives no login: it goes on, and asks as nobody."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def _login_program(kubeconfig: str, context: str) -> str:
    """The command with which a context logs in."""
    merged = kubernetes.config.kube_config.KubeConfigMerger(kubeconfig).config.value
    wanted = context or merged["current-context"]
    user = next(one["context"]["user"] for one in merged["contexts"] if one["name"] == wanted)
    return str(next(one["user"]["exec"]["command"] for one in merged["users"] if one["name"] == user))


def _asked(ask: Callable[..., Any], resource: Resource, kind: str, end: float) -> Mapping[str, Any]:
    """One answer as it came: the library's records would refuse what a newer API server adds."""
    left = max(0.001, end - time.monotonic())
    try:
        data = json.loads(ask(_preload_content=False, _request_timeout=(left, left)).data)
    except kubernetes.client.exceptions.ApiException as error:
        raise Unreadable(_refused(error, resource, one=kind == resource.kind)) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreadable(f"the API server can't be reached: {phrase(_cause(error))}") from None
    except ValueError:
        raise Unreadable("what answers is no API server: it gives no JSON") from None
    if not isinstance(data, dict) or data.get("kind") != kind:
        raise Unreadable(f"what answers is no API server: it gives no {kind}")
    return data


def _refused(error: Any, resource: Resource, *, one: bool) -> str:
    status = error.status
    if status == 404:
        if not _is_status(error.body):
            return (
                "what answers is no API server, or knows no such API (status 404): look at the address of the cluster"
            )
        return f"there is no such {resource.kind}" if one else f"the API server knows no {resource.plural}"
    if status == 401:
        return "the API server does not accept the credentials (status 401): they are wrong, or have expired"
    if status == 403:
        verb = "get" if one else "list"
        return f"the API server refuses (status {status}): it needs `{verb}` of {resource.title}"
    if not status:  # no answer: TLS
        return f"the API server can't be reached: {phrase(str(error.reason))}"
    return f"the API server answers with status {status}: {phrase(str(error.reason))}"


def _is_status(body: object) -> bool:
    """Whether an answer is what an API server says of an object that isn't there."""
    try:
        said = json.loads(str(body))
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("kind") == "Status"


def _cause(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or error)


# -- what stands in an answer, whatever somebody made of it ------------------------------------------------------------


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def listed(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def whole(value: Any, otherwise: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
