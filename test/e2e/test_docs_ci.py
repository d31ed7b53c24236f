"""docs/ci.md does what it says, and so do the workflow and its script."""

import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

from conftest import BIN

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci.md").read_text()
FLOW = (ROOT / ".github/workflows/porta-survives.yml").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.S | re.M)


def shell(text, cwd, **env):
    return subprocess.run(
        ["sh", "-ec", text], cwd=cwd, capture_output=True, text=True,
        timeout=900, check=False,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **env})


def passed(path):
    suite = ET.parse(path).getroot().find("testsuite")
    assert suite.get("failures") == "0"
    return int(suite.get("tests"))


@pytest.fixture(name="team", scope="module")
def folder(tmp_path_factory):
    """What a reader has after the page's first block."""
    home = tmp_path_factory.mktemp("team")
    (home / "scenario.toml").write_text(blocks("toml")[0])
    done = shell(blocks("sh")[0], home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed, 0 failed" in done.stdout
    assert passed(home / "results.xml") == blocks("toml")[0].count("[[test]]")
    # All of it was run; from here on without what takes long.
    short = blocks("toml")[0].rsplit("[[test]]", 1)[0]
    assert "torture" not in short
    (home / "scenario.toml").write_text(short)
    return home


def test_the_script(team):
    command = blocks("sh")[1]
    assert "path/to/porta/" in command
    command = command.replace("path/to/porta/", f"{ROOT}/")
    (team / "results.xml").unlink()
    done = shell(command, team)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed(team / "results.xml") == 5


def test_torture_alone(team):
    done = shell(blocks("sh")[2], team)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed(team / "torture.xml") > 10


def test_every_block_was_run():
    assert len(blocks("sh")) == 3 and len(blocks("toml")) == 1


def test_the_script_fails_as_the_scenario_does(team, tmp_path):
    script = ROOT / "tools/survives.sh"
    bad = team / "bad.toml"
    bad.write_text(blocks("toml")[0].split("[[test]]")[0] +
                   '[[test]]\nname = "x"\nserver = "status=404"\n'
                   'expect = { update = "updated" }\n')
    out = tmp_path / "r.xml"
    done = shell(f"'{script}' bad.toml {out}", team)
    assert done.returncode == 1 and out.exists()
    bad.write_text("nonsense")
    assert shell(f"'{script}' bad.toml", team).returncode == 2
    done = shell(f"'{script}' scenario.toml", team, PORTA_BUILD="exit 7")
    assert done.returncode == 7
    assert shell(f"'{script}'", team).returncode != 0


def test_the_workflow_runs_the_script(team, tmp_path):
    """Its last step as it stands, with the inputs of the page's ten lines."""
    step = re.search(r"- name: survives\n(.*?)\n      - ", FLOW, re.S)[1]
    env = dict(re.findall(r"^ +(PORTA_\w+): \$\{\{ inputs\.([\w-]+) \}\}$",
                          step, re.M))
    assert set(env.values()) == {"scenario", "junit", "build"}
    values = {"scenario": "scenario.toml", "build": "true",
              "junit": str(tmp_path / "r.xml")}
    run = re.search(r"run: \|\n( +)(.*)", step, re.S)[2]
    (team / ".porta").symlink_to(ROOT)
    done = shell(run, team, **{k: values[v] for k, v in env.items()})
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed(tmp_path / "r.xml") == 5


def test_the_ten_lines_fit_the_workflow():
    lines = blocks("yaml")[0].splitlines()
    assert len(lines) <= 10
    used = re.search(r"uses: OWNER/porta/(\S+)@main", blocks("yaml")[0])[1]
    assert (ROOT / used).exists() and "workflow_call:" in FLOW
    inputs = FLOW.split("inputs:\n")[1].split("\njobs:")[0]
    known = re.findall(r"^      ([\w-]+):$", inputs, re.M)
    needed = [name for name, text in re.findall(
        r"^      ([\w-]+):\n((?:        .*\n)+)", inputs + "\n", re.M)
        if "required: true" in text]
    given = re.findall(r"^      ([\w-]+):", "\n".join(lines), re.M)
    assert set(needed) <= set(given) <= set(known) and needed
