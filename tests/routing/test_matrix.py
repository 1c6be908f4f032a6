"""Where every kind of call goes, as one table (`matrix.txt`; UPDATE_GOLDEN=1 writes it anew)."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

import cluster as small
import pytest
from cluster import Cluster

TABLE = Path(__file__).with_name("matrix.txt")
STATES = """image:
  default: v4
  tag: {v1: v1.0.1, v3: v1.0.3, v4: v1.0.4, v5: v1.0.5, v6: v3.0.0, v7: v2}
  retired: {v2: v1.0.2}
  quarantined: {v5: {reason: bad}}
"""
# What is sent as grpcsvc.
SENT: dict[str, tuple[str, ...]] = {
    "nothing": (),
    **{f"live name {name}": (name,) for name in ("v1", "v3", "v4", "v6", "v7")},
    **{f"live tag {tag}": (tag,) for tag in ("v1.0.1", "v1.0.3", "v1.0.4", "v3.0.0")},
    "live tag v2 (names win: v2 is retired)": ("v2",),
    "unknown name": ("v9",),
    "unknown tag": ("v9.9.9",),
    "empty": ("",),
    "wrong case": ("V3",),
    "with blanks": (" v3 ",),
    "two values, v3 and v1": ("v3", "v1"),
    "two values, v9 and v3": ("v9", "v3"),
    "comma list": ("v3,v1",),
    "retired tag": ("v1.0.2",),
    "quarantined name": ("v5",),
    "quarantined tag": ("v1.0.5",),
}
CONTENT_TYPES = (
    "application/grpc",
    "application/grpc+proto",
    "application/GRPC",
    "application/grpc; charset=utf-8",
    "application/grpc-web-text",
    "application/grpcish",
    "text/x-not-grpc",
    "application/json",
    "",
)


def test_every_call_goes_where_the_table_says(cluster: Cluster) -> None:
    found = table(cluster)
    if os.environ.get("UPDATE_GOLDEN"):
        TABLE.write_text(found, encoding="utf-8")
    assert found == TABLE.read_text(encoding="utf-8")


def table(cluster: Cluster) -> str:
    """Both columns of the table, in one cluster: first without, then with the filter."""
    columns: list[dict[str, str]] = []
    for values in (small.ROUTED, small.FILTERED):
        cluster.sync(STATES, values, "virtualService: {grpcWeb: true}\n")
        column = {}
        with cluster.client() as client:
            for title, sent in SENT.items():
                answer = client.call(*sent)
                saw = ",".join(f"'{value}'" for value in answer.seen) or "nothing"
                column[f"gRPC: {title}"] = f"{answer.version} {answer.status}, told {answer.told}, saw {saw}"
        for title, sent in SENT.items():
            column[f"plain HTTP: {title}"] = plain(cluster, "GET", {"grpcsvc": sent})
        for kind in CONTENT_TYPES:
            column[f"POST as {kind or 'nothing'}, unknown name"] = plain(
                cluster, "POST", {"content-type": (kind,) if kind else (), "grpcsvc": ("v9",)}
            )
        column["OPTIONS"] = plain(cluster, "OPTIONS", {})
        columns.append(column)
    without, filtered = columns
    lines = []
    for title, answer in without.items():
        lines.append(f"{title}\n    VirtualService alone  {answer}\n    with EnvoyFilter      {filtered[title]}\n")
    return "".join(lines)


def plain(cluster: Cluster, method: str, headers: dict[str, tuple[str, ...]]) -> str:
    """A call in HTTP/1.1: its status, and the version that was told."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.envoy.ports[80], timeout=5)
    try:
        connection.putrequest(method, "/engine.Engine/Call", skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", small.HOST)
        for key, values in headers.items():
            for value in values:
                connection.putheader(key, value)
        connection.putheader("content-length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return f"{answer.status}, told {answer.getheader('grpcsvc') or 'nothing'}"
    finally:
        connection.close()


def matrix() -> dict[str, tuple[str, str]]:
    lines = iter(TABLE.read_text(encoding="utf-8").splitlines())
    return {
        title: (alone.split("  ")[-1].strip(), both.split("  ")[-1].strip())
        for title, alone, both in zip(lines, lines, lines, strict=True)
    }


@pytest.mark.parametrize("column", [0, 1], ids=["VirtualService alone", "with EnvoyFilter"])
def test_the_table_is_what_was_intended(column: int) -> None:
    for title, answers in matrix().items():
        answer = answers[column]
        call, _, sent = title.partition(": ")
        if call == "gRPC":
            version = answer.split()[0]
            assert f"{version} OK, told {version}" in answer, title
            names = {"v1.0.1": "v1", "v1.0.3": "v3", "v1.0.4": "v4", "v3.0.0": "v6"}
            if sent.startswith("live name"):
                assert version == sent.split()[-1]
            elif sent.startswith("live tag v") and "wins" not in sent and sent.split()[-1] in names:
                assert version == names[sent.split()[-1]]
            elif not sent.startswith("two values"):
                assert version == "v4", title
        elif call == "plain HTTP":
            assert answer == "404, told nothing", title
