"""One table: what the parser takes is what help, manual and completion say."""

import contextlib
import os
import pty
import re
import shutil
import subprocess

import pytest


@pytest.fixture(name="table", scope="module")
def verbs_of(porta):
    return {v["name"]: v for v in porta.ok("help", "--json").json["verbs"]}


@pytest.fixture(name="made", scope="module")
def files_of(porta, tmp_path_factory):
    folder = tmp_path_factory.mktemp("help") / "all"
    porta.ok("help", "--write", folder)
    return folder


def names(verb):
    return [o["name"] for o in verb["options"]]


def test_the_table_is_not_empty(table):
    assert len(table) > 30
    assert {"flash create", "update", "torture", "help"} <= set(table)
    assert "--cacert" in names(table["update"])
    for verb in table.values():
        assert len(names(verb)) == len(set(names(verb))), verb["name"]


def test_every_row_is_accepted_by_the_parser(porta, table):
    """With a value too few, or with an argument that is a folder: the sentence
    is about that, never about the option."""
    for verb in table.values():
        for option in verb["options"]:
            if option["value"]:
                ended = porta(*verb["name"].split(), option["name"])
                want = f"{option['name']} needs a value"
                assert ended.code == 2 and want in ended.err, (verb, ended)


def test_flags_are_accepted_and_strangers_are_not(porta, table):
    for verb in table.values():
        flags = [o["name"] for o in verb["options"] if not o["value"]]
        ended = porta(*verb["name"].split(), *flags, "--zzyzx", "--help")
        assert ended.code == 0 or "option --zzyzx" in ended.err, ended
        ended = porta(*verb["name"].split(), "--zzyzx")
        assert ended.code == 2 and "unknown option --zzyzx" in ended.err


def test_summaries_are_of_one_style(table):
    """As a manual's NAME line has it: no capital, no full stop."""
    for verb in table.values():
        text = verb["summary"]
        assert text[0].islower() and text[-1] != ".", verb["name"]


def test_every_verb_has_the_common_options(table):
    for verb in table.values():
        assert {"--json", "--quiet", "--verbose", "--help"} <= set(
            names(verb)), verb["name"]


def test_pages_as_json(porta, table):
    for name, verb in table.items():
        page, = porta.ok(*name.split(), "--help", "--json").json["verbs"]
        assert page == verb
        asked = porta.ok("help", *name.split(), "--json").json
        assert asked == {"verbs": [verb]}
    group = [v for n, v in table.items() if n.startswith("flash ")]
    assert porta.ok("flash", "--help", "--json").json == {"verbs": group}
    assert porta.ok("help", "flash", "--json").json == {"verbs": group}
    assert porta.ok("--help", "--json").json["verbs"] == list(table.values())
    assert re.fullmatch(r"\d+\.\d+\.\d+",
                        porta.ok("--version", "--json").json["version"])


@pytest.mark.parametrize("args,says", [
    (["nonsense"], "no verb 'nonsense'"),
    (["help", "nonsense"], "no verb 'nonsense'"),
    (["help", "flash", "crea"], "did you mean create?"),
    (["flash", "nonsense"], "no verb 'flash nonsense'"),
    (["flash"], "--json stands where"), ([], "--json stands where"),
    (["--quiet", "explain"], "--quiet stands where the verb is missing"),
    (["flash", "--quiet", "create"], "--quiet stands where")])
def test_a_verb_that_is_not_there_is_told_in_json_too(porta, args, says):
    ended = porta(*args, "--json")
    assert ended.code == 2 and ended.out.count("\n") == 1, ended
    assert says in ended.json["error"]["message"]
    assert ended.json["error"]["message"] in ended.err


def test_the_help_page_has_every_row(porta, table):
    for verb in table.values():
        page = porta.ok("help", *verb["name"].split()).out
        for option in verb["options"]:
            assert f"\n  {option['name']}" in page, (verb["name"], option)
            assert option["help"] in page


def test_the_manual_has_every_row(table, made):
    for verb in table.values():
        page = (made / "man1" / f"porta-{verb['name'].replace(' ', '-')}.1")
        text = page.read_text().replace("\\-", "-").replace("\\e", "\\")
        for option in verb["options"]:
            assert f"\\fB{option['name']}\\fR".replace("\\f", "\\f") in text
    main = (made / "man1/porta.1").read_text()
    for verb in table:
        assert f"porta\\-{verb.split()[0]} (1)" in main


def test_the_manual_is_good_troff(made):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    for page in sorted((made / "man1").iterdir()):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stderr == "", (page, done.stderr)


def completed(made, *words):
    """What bash offers for the last of the words."""
    script = (f"source {made}/bash/porta\nCOMP_WORDS=({' '.join(words)!s})\n"
              f"COMP_CWORD={len(words) - 1}\n_porta\n"
              "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    done = subprocess.run(["bash", "-c", script], capture_output=True,
                          text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("words,offer", [
    (["porta", "upd"], ["update"]),
    (["porta", "flash", "cr"], ["create"]),
    (["porta", "flash", "create", "--era"], ["--erased"]),
    (["porta", "explain", "f", "--no-ro"], ["--no-rollback"]),
    (["porta", "update", "f", "--tls-max", "1."], ["1.2", "1.3"]),
    (["porta", "flash", "create", "--chip", "esp32c"],
     ["esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32c61"]),
    (["porta", "update", "--cacert", "x"], []),
    (["porta", "help", "tor"], ["torture"]),
    (["porta", "help", "flash", "sh"], ["show"]),
    (["porta", "nonsense", "--x"], []),
    # Nothing is offered where files are: bash then lists those itself.
    (["porta", "test", "''"], []), (["porta", "test", "sc"], []),
    (["porta", "flash", "show", "''"], []),
    (["porta", "test", "x.toml", "--ju"], ["--junit"]),
    (["porta", "-"], ["--help", "--version"])])
def test_bash_completes(made, words, offer):
    got = completed(made, *words)
    assert got == offer if words[-1] != "esp32c" else set(got) <= {
        w for w in got if w.startswith("esp32c")} and "esp32c3" in got


def test_bash_offers_every_row(table, made):
    for verb in table.values():
        got = completed(made, "porta", *verb["name"].split(), "--")
        assert set(got) == {n for n in names(verb) if n.startswith("--")}


def test_zsh_takes_the_script(table, made):
    text = (made / "zsh/_porta").read_text()
    assert text.startswith("#compdef porta\n")
    for verb in table.values():
        part = text.split(f"    '{verb['name']}')\n        _arguments")[1]
        part = part.split(";;")[0]
        for option in verb["options"]:
            assert f"{option['name']}[" in part, (verb["name"], option)
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed; the rows were compared")
    done = subprocess.run(["zsh", "-n", made / "zsh/_porta"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.parametrize("args,want", [
    (["udpate"], "did you mean update?"),
    (["flash", "craete"], "did you mean create?"),
    (["explain", "--jsno", "f"], "did you mean --json?"),
    (["update", "--ca-cert", "f"], "did you mean --cacert?"),
    (["help", "tortur"], "did you mean torture?"),
    (["help", "flash", "sohw"], "did you mean show?")])
def test_a_mistyped_word_is_guessed(porta, args, want):
    ended = porta(*args)
    assert ended.code == 2 and want in ended.err and not ended.out, ended


@pytest.mark.parametrize("args", [["frobnicate"], ["flash", "frobnicate"],
                                  ["explain", "--frobnicate"], ["x" * 500],
                                  ["help", "%s%n"], ["\x1b[31m"]])
def test_what_is_like_nothing_is_not_guessed(porta, args):
    ended = porta(*args)
    assert ended.code == 2 and "did you mean" not in ended.err, ended
    assert "porta help" in ended.err and "\x1b" not in ended.err


def on_a_terminal(porta, *args, **env):
    """Standard error of the command, which is a terminal."""
    ours, theirs = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    done = subprocess.run([porta.path, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=theirs,
                          env={**clean, "TERM": "xterm", **env}, check=False)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # EIO: that was all
        while part := os.read(ours, 65536):
            text += part
    os.close(ours)
    return done.returncode, text.decode()


@pytest.mark.parametrize("env,coloured", [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True),
    ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals(porta, env, coloured):
    code, text = on_a_terminal(porta, "explain", "--nonsense", **env)
    assert code == 2 and "unknown option" in text
    assert ("\x1b[" in text) == coloured


def test_no_colours_elsewhere(porta):
    env = {"TERM": "xterm"}
    assert "\x1b" not in porta("explain", "--nonsense", env=env).err
    assert "\x1b" not in porta("help", "update", env=env).out


def test_quiet_and_verbose(porta, flash):
    path = flash()
    for args in (["explain", path], ["flash", "show", path]):
        loud, quiet = porta.ok(*args, "--verbose"), porta.ok(*args, "--quiet")
        assert quiet.out == loud.out and quiet.err == ""
    ended = porta("explain", path, "--quiet", "--verbose")
    assert ended.code == 2 and "exclude" in ended.err
    ended = porta("explain", "/nowhere", "--quiet")
    assert ended.code == 1 and "/nowhere" in ended.err


def test_files_that_are_made_are_told_in_json(porta, tmp_path):
    key, pub, flash = (tmp_path / n for n in ("k.pem", "p.pem", "f.bin"))
    made = porta.ok("key", "new", "-o", key, "--json").json
    assert made == {"file": str(key), "size": key.stat().st_size}
    made = porta.ok("key", "public", key, "-o", pub, "--json").json
    assert made == {"file": str(pub), "size": pub.stat().st_size}
    made = porta.ok("flash", "create", "-o", flash, "--erased", "--json").json
    assert made == {"file": str(flash), "size": 4 << 20}
    ended = porta("key", "new", "-o", key, "--json")
    assert ended.code == 1 and ended.json["error"]["stage"] == "file", ended
    ended = porta("key", "new", "-o", tmp_path / "no/k", "--json")
    assert ended.code == 1 and ended.json["error"]["message"] in ended.err


def test_help_says_what_it_made(porta, tmp_path):
    made = porta.ok("help", "--write", tmp_path / "all", "--json").json
    assert made["file"] == str(tmp_path / "all")
    ended = porta("help", "--complete", "bash", "--json")
    assert ended.code == 2 and ended.json["error"]["stage"] == "args"


def test_help_files_appear_or_the_command_fails(porta, tmp_path):
    ended = porta("help", "--write", tmp_path / "no/such/folder")
    assert ended.code == 1 and "no/such/folder" in ended.err, ended
    assert re.search(r"cannot create", ended.err)
