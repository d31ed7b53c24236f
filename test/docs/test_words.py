"""What the pages name in sentences and tables: verbs, options, files, links,
states and functions are there."""

import json
import re
import shutil
import subprocess

import pytest

import pages
from conftest import BIN

BOOT = pages.Page("docs/boot.md")
LAYERS = pages.Page("docs/layers.md")
TRIAL = pages.Page("docs/rollback.md")
EVERY = {page.name: page for page in pages.every()}


def prose(page):
    """Without the blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.text)


def spans(page):
    return [" ".join(s.split()) for s in
            re.findall(r"(?s)`([^`]+)`", prose(page))]


@pytest.fixture(name="verbs", scope="module")
def of_porta():
    """{verb: its options}"""
    said = json.loads(subprocess.run(
        [BIN / "porta", "help", "--json"], capture_output=True, text=True,
        check=True).stdout)
    return {v["name"]: {o["name"] for o in v["options"]}
            for v in said["verbs"]}


def verb_of(words, verbs):
    """The verb that a command begins with, or the group that has verbs."""
    for name in (" ".join(words[:2]), words[0]):
        if name in verbs:
            return name
    return words[0] if any(v.startswith(words[0] + " ") for v in verbs) \
        else None


def test_every_command_is_one(verbs):
    """`porta VERB ... --option`, with options of that verb."""
    seen = 0
    for page in EVERY.values():
        for span in spans(page):
            words = span.partition(" \\|")[0].split()
            if words[0] != "porta" or not re.fullmatch(
                    "[a-z]+", words[1] if words[1:] else ""):
                continue
            verb = verb_of(words[1:], verbs)
            assert verb, (page.name, span)
            if verb == "help" and words[2:3] and words[2].islower():
                assert verb_of(words[2:], verbs) or words[2][0] == "-", span
            for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", span):
                assert option in verbs[verb], (page.name, span, option)
            seen += 1
    assert seen > 80


# What stands for something of the reader's in a sentence.
PLACES = {"FLASH": "device.bin", "FILE": "out.svg", "R": "panic", "SHA256":
          "5a" * 32, "SCENARIO": "scenario.toml", "f.bin": "device.bin",
          "NAME": "one", "DIR": "pages", "URL": None, "PIN=...": None}


def runs():
    """{command: its page} of those that are whole: with a flash file, or with
    no argument that would have to be guessed."""
    found = {}
    for page in EVERY.values():
        for span in spans(page):
            words = re.sub(r"[][]", "", span.replace("\\|", "|")).split()
            if words[0] == "porta" and {"FLASH", "f.bin", "SCENARIO",
                                        "help"} & set(words) and \
                    not {"VERB", "URL", "PIN=..."} & set(words):
                found[" ".join(PLACES.get(w) or w for w in words)] = page.name
    return found


@pytest.mark.parametrize("command", runs())
def test_commands_in_sentences_run(reader, command):
    """On a device with two images, in a folder of its own."""
    if "| dot" in command and not shutil.which("dot"):
        command = command.split("|")[0] + "| cat"
    reader.image("app-1.bin", 1, 4000)
    reader.image("app-2.bin", 2, 4000)
    reader.write("scenario.toml", 'flash = "device.bin"\nimage = "app-2.bin"\n'
                 '[[test]]\nname = "one"\nexpect = { update = "updated" }\n')
    reader.run("mkdir pages\nporta flash create -o device.bin --chip esp32 "
               "--size 4MB --table two_ota --app ota_0=app-1.bin\n"
               "porta reset device.bin\n")
    reader.run(command + "\n")  # ends with 0


def test_every_option_is_one(verbs):
    """`--option` alone: of some verb. A decision tells of its day."""
    known = set().union(*verbs.values())
    seen = set()
    for page in EVERY.values():
        for span in spans(page):
            option = re.match(r"--[a-z][\w-]*", span)
            if option and not page.name.startswith("docs/decisions/"):
                assert option[0] in known, (page.name, span)
                seen.add(option[0])
    assert len(seen) > 50


def anchors(page):
    """As a forge makes them of headings."""
    found = set()
    for heading in re.findall(r"(?m)^#+ (.*)$", prose(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def test_every_link_leads_somewhere():
    seen = 0
    for page in EVERY.values():
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if link.startswith("http"):
                continue
            name, _, anchor = link.partition("#")
            path = (page.path.parent / name).resolve() if name else page.path
            assert path.exists(), (page.name, link)
            if anchor:
                to = EVERY[str(path.relative_to(pages.ROOT))]
                assert anchor in anchors(to), (page.name, link)
            seen += 1
    assert seen > 100


# Paths begin at the root, as includes do, or as the test that is meant.
FROM = [pages.ROOT / name for name in
        ("", "test", "src", "include", "port/include")]


def test_every_file_is_there():
    """What looks like a path into this tree."""
    tops = {p.name for p in pages.ROOT.iterdir() if p.is_dir()} - {"build"}
    seen = 0
    for page in EVERY.values():
        if page.name.startswith("docs/decisions/"):
            continue  # tells of its day
        for span in spans(page):
            path = span.rstrip("/").split(" ")[0]
            if path.split("/")[0] not in tops or "/" not in path or \
                    re.search(r"[*{<…]", path):
                continue
            assert any((folder / path).exists() for folder in
                       (*FROM, page.path.parent)), (page.name, span)
            seen += 1
    assert seen > 60


def test_the_index_has_every_page():
    index = EVERY["docs/README.md"].text
    for name in EVERY:
        if name.startswith("docs/") and name.count("/") == 1 and \
                name != "docs/README.md":
            assert f"({name[5:]}" in index, name
    decisions = EVERY["docs/decisions/README.md"].text
    for path in (pages.ROOT / "docs/decisions").glob("0*.md"):
        assert f"({path.name})" in decisions, path.name


SOURCE = "".join(path.read_text() for folder in ("include", "src") for path in
                 (pages.ROOT / folder).rglob("*.[ch]"))


@pytest.mark.parametrize("block", [
    *BOOT.all("text"), *TRIAL.all("text"), *LAYERS.all("text")], ids=repr)
def test_names_in_pictures(block):
    """Functions and states of a picture are in the code; modules, folders."""
    names = re.findall(r"\b(\w+)\(\)", block.text)
    for name in names:
        assert re.search(rf"\b{name}\(", SOURCE), name
    states = {"NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED"}
    for word in set(re.findall(r"\b[A-Z_]{3,}\b", block.text)) & states:
        assert f"ESP_OTA_IMG_{word}" in SOURCE
        names.append(word)
    if block.page is LAYERS:
        rows = {p.name for p in (pages.ROOT / "src").iterdir() if p.is_dir()}
        assert rows <= set(re.findall(r"\w+", block.text))
        return
    assert names, "a picture of nothing"


def test_the_states_are_all_in_the_picture():
    """Both pictures of a record's life have every state of the code."""
    enum = re.search(r"(?s)typedef enum \{([^}]*ESP_OTA_IMG_NEW[^}]*)\}",
                     SOURCE)[1]
    states = set(re.findall(r"ESP_OTA_IMG_(\w+)", enum)) - {"UNDEFINED"}
    assert len(states) == 5
    for text in (BOOT.block("The states of a boot record", "text"),
                 TRIAL.all("text")[0].text):
        assert states <= set(re.findall(r"\b[A-Z_]+\b", text))
