"""Asks the delivery tool of an environment what it has applied. Whatever goes wrong means "nobody knows"."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from release_tool.model.delivery import Delivered
from release_tool.model.printed_command import installing
from release_tool.net.deadline import TimeIsUp, in_time
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Config

_LOG = logging.getLogger("release_tool.health")
_KEYS = {"application": "Application", "helm_release": "HelmRelease", "kustomization": "Kustomization"}


def ask(config: Config, environment: str, environ: Mapping[str, str]) -> Delivered:
    """What the delivery tool of an environment, which has one, says.

    Args:
        config: of one service.
        environ: the environment variables, which lead to the kubeconfig.
    """
    health = config.environment(environment).health
    assert health is not None  # else nobody asks
    section = health.argocd or health.flux
    assert section is not None  # the same
    key = next(key for key in _KEYS if getattr(section, key, ""))
    name, namespace = (_filled(text, config, environment) for text in (getattr(section, key), section.namespace))
    by = f"{_KEYS[key]} {name}"
    try:
        found = _object(section.context, (key, namespace, name), health.timeout.total_seconds(), environ)
        return found if isinstance(found, Delivered) else _said(config, environment, key, found)
    except ImportError:
        return Delivered(by, unknown=f"the library is not installed: {installing('kubernetes')}")
    except Exception as error:  # noqa: BLE001 (libraries, plug-ins for logins: they raise what they like)
        _LOG.debug("%s", by, exc_info=True)
        return Delivered(by, unknown=f"it can't be read: {type(error).__name__}: {phrase(str(error))}")


def _object(
    context: str, where: tuple[str, str, str], timeout: float, environ: Mapping[str, str]
) -> Mapping[str, Any] | Delivered:
    """The object of the delivery tool; or why it can't be read."""
    from release_tool.health import argocd, flux
    from release_tool.health.cluster import Cluster, Unreadable

    key, namespace, name = where
    kinds = {"application": argocd.APPLICATIONS, "helm_release": flux.RELEASES, "kustomization": flux.KUSTOMIZATIONS}
    cluster = Cluster(context, environ)
    end = time.monotonic() + timeout
    try:
        return in_time(lambda: cluster.get(kinds[key], namespace, name, end), end)
    except TimeIsUp:
        return Delivered(f"{_KEYS[key]} {name}", unknown="the API server did not answer in time")
    except Unreadable as why:
        return Delivered(f"{_KEYS[key]} {name}", unknown=str(why))
    finally:
        cluster.close()


def _said(config: Config, environment: str, key: str, found: Mapping[str, Any]) -> Delivered:
    from release_tool.health import argocd, flux

    tag_file = config.place(environment).tag_file
    if key == "application":
        return argocd.of_application(found, tag_file, config.base)
    return flux.of_release(found, tag_file) if key == "helm_release" else flux.of_kustomization(found)


def _filled(template: str, config: Config, environment: str) -> str:
    values = {
        "environment": environment,
        "namespace": config.namespace,
        "service": config.service,
        "release": config.release_name,
    }
    for key, value in values.items():
        template = template.replace(f"{{{key}}}", value)
    return template
