"""What a command tells the job of GitHub Actions that it runs in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from release_tool.actions import annotation, summary
from release_tool.actions.annotation import Annotation
from release_tool.actions.job import Job
from release_tool.pull_request import comment, markdown


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("RELEASE_ARTIFACTS", str(tmp_path / "artifacts"))
    return tmp_path


def outputs(job: Path) -> dict[str, str]:
    """As the runner reads them."""
    found: dict[str, str] = {}
    lines = iter((job / "GITHUB_OUTPUT").read_text("utf-8").split("\n"))
    for line in lines:
        name, mark, end = line.partition("<<")
        if mark:
            value = []
            while (line := next(lines)) != end:
                value.append(line)
            found[name] = "\n".join(value)
    return found


def summary_of(job: Path) -> str:
    return (job / "GITHUB_STEP_SUMMARY").read_text("utf-8")


# -- commands ---------------------------------------------------------------------------------------------------------
def test_a_bump_sets_outputs_and_leaves_artifacts(world: World, job: Path) -> None:
    done = world.release("bump", "devel", "v1.0.5")
    found = outputs(job)
    assert set(found) == {"changed", "commit", "pull-request-number", "pull-request-url", "json"}
    assert found["changed"] == "true"
    assert json.loads(found["json"])["commit"] == found["commit"] == world.refs()["refs/heads/release/devel"]
    assert json.loads((job / "artifacts" / "outcome.json").read_text("utf-8")) == json.loads(found["json"])
    assert "release/devel" in done.out
    difference = (job / "artifacts" / "difference-devel.diff").read_text("utf-8")
    assert difference.rstrip("\n") == world.release("diff", "devel").out.rstrip("\n")


def test_a_command_over_several_environments_names_no_single_pull_request(world: World, job: Path) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("default", "staging", "v3")
    for environment in ("devel", "staging"):
        world.commit({f"environments/{environment}/image_tag.yaml": world.tags(environment) + "# by hand\n"}, "By hand")
    (job / "GITHUB_OUTPUT").write_text("", "utf-8")
    world.release("sync")
    found = outputs(job)
    assert [one["pull_request"]["number"] for one in json.loads(found["json"])] == [1, 2]
    assert (found["commit"], found["pull-request-number"], found["pull-request-url"]) == ("", "", "")


def test_nothing_is_told_outside_of_a_job(world: World, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    world.release("bump", "devel", "v1.0.5")
    done = world.release("bump", "devel", "no tag!", code=2)
    assert "::error" not in done.err
    assert summary_of(job) == ""
    assert outputs(job) == {}
    assert not (job / "artifacts").exists()


def test_standard_output_is_the_same_in_a_job(world: World, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.release("bump", "devel", "v1.0.5")
    inside = [world.release(*command).out for command in (["check"], ["diff", "devel"], ["render", "devel"])]
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert inside == [world.release(*command).out for command in (["check"], ["diff", "devel"], ["render", "devel"])]


def test_a_finding_is_annotated_at_its_place(world: World, job: Path) -> None:
    world.broken.add("devel")
    world.commit({"environments/devel/image_tag.yaml": world.tags().replace("v1.0.2", "v1.0.2 bad")}, "By hand")
    done = world.release("check", code=1)
    assert "::error file=environments/devel/image_tag.yaml,line=4,col=5,title=release check::image.tag[1]" in done.err
    assert "| error | environments/devel/image&#95;tag.yaml:4:5 |" in summary_of(job)


def test_every_problem_of_the_configuration_is_annotated_at_its_place(world: World, job: Path) -> None:
    text = world.file("release.yaml").replace("chart:", "chrat:").replace("namespace:", "nmespace:")
    world.commit({"release.yaml": text}, "Typing errors")
    done = world.release("status", code=1)
    places = re.findall(r"::error file=release\.yaml,line=(\d+),col=1,title=release status::", done.err)
    assert {"2", "4"} <= set(places)


def test_an_error_without_a_place_is_annotated_with_what_comes_next(world: World, job: Path) -> None:
    done = world.release("bump", "devle", "v1.0.5", code=1)
    expected = (
        "::error title=release bump::there is no environment 'devle' in the configuration%0Anext: did you mean 'devel'?"
    )
    assert expected in done.err.splitlines()
    assert "### release bump failed" in summary_of(job)


def test_what_another_try_may_mend_is_a_warning(world: World, job: Path) -> None:
    done = world.release("status", "--repo", "http://127.0.0.1:9/acme/shop", code=75)
    assert "::warning title=release status::" in done.err
    assert "::error" not in done.err


def test_a_job_that_takes_no_summary_stops_nothing(world: World, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job / "missing" / "summary"))
    done = world.release("bump", "devel", "v1.0.5")
    assert "::warning title=release bump::the job takes no summary or output: No such file or directory" in done.err
    assert len(world.pulls()) == 1


def test_no_text_from_outside_is_a_command_for_the_runner(world: World, job: Path) -> None:
    for tag in ("::set-output name=x::y", "##[set-output name=x]y", "a\n::add-mask::b", "a\n  ::add-mask::b"):
        done = world.release("bump", "devel", tag, code=2)
        lines = [line for line in done.err.splitlines() if line.lstrip().startswith("::")]
        assert len(lines) == 1
        assert lines[0].startswith("::error title=release bump::")
        assert not any("##[" in line for line in done.err.splitlines() if line not in lines)


def test_all_environments_are_compared_where_none_is_named(world: World, job: Path) -> None:
    world.release("bump", "devel", "v1.0.5")
    found = {one["environment"]: len(one["changes"]) for one in world.json("diff")}
    assert found["devel"] > 0
    assert found["staging"] == found["production"] == 0
    assert world.release("diff").out == world.release("diff", "devel").out
    assert world.release("diff", "--ref", "release/devel").out == world.release("diff", "devel").out


def test_a_branch_is_compared_as_it_would_be_merged(world: World) -> None:
    """What the base got since then is no change of the branch."""
    world.commit({"environments/devel/values.yaml": "replicaCount: 2\n"}, "More", "more")
    world.commit({"environments/staging/values.yaml": "replicaCount: 7\n"}, "Even more")
    found = {one["environment"]: len(one["changes"]) for one in world.json("diff", "--ref", "more")}
    assert found["devel"] > 0
    assert found["staging"] == 0
    world.commit({"environments/staging/values.yaml": "replicaCount: 3\n"}, "Less", "more")
    done = world.release("diff", "--ref", "more", code=1)
    assert "conflicts with main in environments/staging/values.yaml" in done.err


def test_a_forge_without_comments_that_can_be_changed_says_so(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    assert "keeps no comment up to date" in world.release("diff", "--comment", "1", code=1).err
    assert "exclude each other" in world.release("diff", "devel", "--comment", "1", code=2).err


# -- the parts --------------------------------------------------------------------------------------------------------
ANY = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY, ANY, ANY)
def test_an_annotation_is_one_line_and_one_command(title: str, text: str, where: str) -> None:
    line = str(Annotation("error", title, text, where))
    assert "\n" not in line
    assert "\r" not in line
    found = re.fullmatch(r"::error( [^:]*)?::(.*)", line, re.DOTALL)
    assert found is not None
    unescaped = found[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    assert unescaped == text


@given(st.text(st.sampled_from("xyz \n\t\u2003:a")))
def test_a_harmless_text_holds_no_command_and_reads_the_same(text: str) -> None:
    text = text.replace("x", "::").replace("y", "##[").replace("z", "\r")  # or it would hardly ever come
    harmless = annotation.harmless(text)
    assert not any(line.lstrip().startswith("::") for line in re.split(r"[\r\n]", harmless))
    assert "##[" not in harmless
    assert harmless.replace("\u200b", "") == text.replace("\u200b", "")


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), ANY))
def test_no_output_goes_on_as_another(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    place = tmp_path_factory.mktemp("job")
    Job(None, place / "GITHUB_OUTPUT", None).put_out(values)
    text = (place / "GITHUB_OUTPUT").read_text("utf-8") if values else ""
    heads = re.findall(r"^([abc])<<end-([0-9a-f]{32})$", text, re.MULTILINE)
    assert [name for name, _ in heads] == list(values)
    assert len({end for _, end in heads}) == len(heads)


def test_what_is_too_large_is_left_out_and_named(tmp_path: Path) -> None:
    job = Job(tmp_path / "summary", tmp_path / "output", None)
    assert job.put_out({"small": "x", "json": "x" * 300_000}) == ["json"]
    assert "json" not in (tmp_path / "output").read_text("utf-8")
    for _ in range(3):
        job.summarise("ä" * 250_000)
    text = (tmp_path / "summary").read_text("utf-8")
    assert len(text.encode("utf-8")) <= 1024 * 1024
    assert text.rstrip().endswith("_More did not fit into this summary; the log and the artifacts have it._")


OUTCOME: dict[str, Any] = {
    "operation": "bump", "environment": "devel", "changed": True, "commit": "0" * 40, "branch": "release/devel", "notes": [],
    "kept": [], "waiting": [], "pull_request": {"number": 3, "name": "#3", "url": "https://github.com/acme/shop/pull/3", "created": True},
    "changes": [{"action": "add", "version": "v5", "tag": "v1.0.5", "reason": "bump"}],
}  # fmt: skip


@given(ANY)
def test_a_reason_from_outside_stays_in_its_cell(reason: str) -> None:
    changes = [{"action": "add", "version": "v5", "tag": "v1.0.5", "reason": reason}]
    text = summary.outcome({**OUTCOME, "changes": changes, "notes": [reason], "refused": reason})
    (row,) = [line for line in text.split("\n") if line.startswith("| add |")]
    assert row.count("|") == 5
    for bad in ("<", "@a", "](http"):
        if bad in reason:
            assert bad not in row


def test_a_cleanup_without_work_says_nothing() -> None:
    nothing = {**OUTCOME, "operation": "cleanup", "changed": False, "changes": []}
    assert summary.outcome(nothing) == ""
    assert summary.outcome({**nothing, "operation": "bump"}).startswith("### devel: bump, nothing changed")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["devel", "staging"]), st.text(st.sampled_from("-+`\n a🚀"), max_size=200), st.just("")
        ),
        max_size=5,
    )
)
def test_the_comment_fits_and_no_difference_leaves_its_fence(differences: list[tuple[str, str, str]]) -> None:
    text = comment.comment("<!-- x -->", differences, "there")
    assert text.startswith("<!-- x -->\n")
    assert len(text.encode("utf-16-le")) // 2 <= comment.LONGEST
    for _, said, _ in differences:
        if said:
            fence = re.match(r"`+", markdown.block("diff", said))
            assert fence is not None
            assert fence[0] not in markdown.tame(said)


def test_a_comment_that_is_too_long_says_where_the_rest_is() -> None:
    many = [(f"env{number}", "+" + "🚀" * 10_000, "") for number in range(10)]
    text = comment.comment("<!-- x -->", many, "the artifacts have it")
    assert len(text.encode("utf-16-le")) // 2 <= comment.LONGEST
    assert text.endswith("_The rest does not fit here: the artifacts have it._")
    assert "env2" in text
