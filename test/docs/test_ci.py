"""docs/ci.md does what it says, and so do the workflow and its script."""

import re
import xml.etree.ElementTree as ET

import pytest

import pages
from conftest import Reader, strangers

PAGE = pages.Page("docs/ci.md")
TUTORIAL = pages.Page("docs/tutorial.md")
FLOW = (pages.ROOT / ".github/workflows/porta-survives.yml").read_text()
SCENARIO = PAGE.block("A scenario", "toml")


def passed(path):
    suite = ET.parse(path).getroot().find("testsuite")
    assert suite.get("failures") == "0"
    return int(suite.get("tests"))


@pytest.fixture(name="team", scope="module")
def folder(tmp_path_factory):
    """What a reader has after the page's first block."""
    reader = Reader(tmp_path_factory.mktemp("team"))
    reader.write("scenario.toml", SCENARIO)
    assert "6 passed, 0 failed" in reader.run(PAGE.block("A scenario"),
                                              timeout=900)
    assert passed(reader.folder / "results.xml") == SCENARIO.count("[[test]]")
    # All of it was run; from here on without what takes long.
    short = SCENARIO.rsplit("[[test]]", 1)[0]
    assert "torture" not in short
    reader.write("scenario.toml", short)
    return reader


def test_the_script(team):
    command = PAGE.block("Anywhere else")
    assert "path/to/porta/" in command
    (team.folder / "results.xml").unlink()
    team.run(command.replace("path/to/porta/", f"{pages.ROOT}/"))
    assert passed(team.folder / "results.xml") == 5


def test_torture_alone(team):
    team.run(PAGE.block("Power cuts alone"))
    assert passed(team.folder / "torture.xml") > 10


# claim, what the new release has instead of its confirmation, comes up
RELEASES = [
    ("one that works", "esp_ota_mark_app_valid_cancel_rollback();", True),
    ("one that crashes", "abort();", False),
]


@strangers
@pytest.mark.parametrize("claim, line, up", RELEASES,
                         ids=[row[0] for row in RELEASES])
def test_a_program_that_must_come_up(reader, claim, line, up):
    """With the program of the tutorial."""
    for block in TUTORIAL.all("cmake", "ini", "c"):
        reader.write(block.file, block.text)
    reader.run(TUTORIAL.block("A project"))
    reader.run("porta build lamp -o old -D PROJECT_VER=1\n")
    main = reader.folder / "lamp/main/main.c"
    text = main.read_text()
    assert text.count(RELEASES[0][1]) == 1
    main.write_text(text.replace(RELEASES[0][1], line))
    reader.run("porta build lamp -o new -D PROJECT_VER=2\n")
    recipe = PAGE.block("A program that must come up")
    done = reader.ends(recipe.replace("new/app.bin", "new/lamp.bin"))
    assert "lamp 2, from ota_0" in done.stdout
    assert done.returncode == (0 if up else 1), done.stdout


def test_the_script_fails_as_the_scenario_does(team, tmp_path):
    script = pages.ROOT / "tools/survives.sh"
    bad = team.folder / "bad.toml"
    bad.write_text(SCENARIO.split("[[test]]")[0] +
                   '[[test]]\nname = "x"\nserver = "status=404"\n'
                   'expect = { update = "updated" }\n')
    out = tmp_path / "r.xml"
    done = team.ends(f"'{script}' bad.toml {out}")
    assert done.returncode == 1 and out.exists()
    bad.write_text("nonsense")
    assert team.ends(f"'{script}' bad.toml").returncode == 2
    done = team.ends(f"'{script}' scenario.toml", PORTA_BUILD="exit 7")
    assert done.returncode == 7
    assert team.ends(f"'{script}'").returncode != 0


def test_the_workflow_runs_the_script(team, tmp_path):
    """Its last step as it stands, with the inputs of the page's ten lines."""
    step = re.search(r"- name: survives\n(.*?)\n      - ", FLOW, re.S)[1]
    env = dict(re.findall(r"^ +(PORTA_\w+): \$\{\{ inputs\.([\w-]+) \}\}$",
                          step, re.M))
    assert set(env.values()) == {"scenario", "junit", "build"}
    values = {"scenario": "scenario.toml", "build": "true",
              "junit": str(tmp_path / "r.xml")}
    run = re.search(r"run: \|\n( +)(.*)", step, re.S)[2]
    (team.folder / ".porta").symlink_to(pages.ROOT)
    team.run(run, **{k: values[v] for k, v in env.items()})
    assert passed(tmp_path / "r.xml") == 5


def test_the_ten_lines_fit_the_workflow():
    text = PAGE.block("In GitHub Actions", "yaml")
    lines = text.splitlines()
    assert len(lines) <= 10
    used = re.search(r"uses: OWNER/porta/(\S+)@main", text)[1]
    assert (pages.ROOT / used).exists() and "workflow_call:" in FLOW
    inputs = FLOW.split("inputs:\n")[1].split("\njobs:")[0]
    known = re.findall(r"^      ([\w-]+):$", inputs, re.M)
    needed = [name for name, text in re.findall(
        r"^      ([\w-]+):\n((?:        .*\n)+)", inputs + "\n", re.M)
        if "required: true" in text]
    given = re.findall(r"^      ([\w-]+):", "\n".join(lines), re.M)
    assert set(needed) <= set(given) <= set(known) and needed
