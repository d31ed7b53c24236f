"""Pictures: the map of a flash file, the decision of a boot, the trace of an
update. Whatever a label or a version says, they stay well formed."""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import xml.etree.ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<&\">'\\]]>{}|"


def drawn(path_or_text):
    return ET.fromstring(path_or_text)


def texts(root):
    return [t.text or "" for t in root.iter(f"{SVG}text")]


def line_of(root, name):
    """The small print of a part of the map."""
    for group in root.iter(f"{SVG}g"):
        label, more = [t.text for t in group.iter(f"{SVG}text")]
        if label.startswith(name):
            return more
    raise AssertionError(f"{name} is not drawn")


@pytest.fixture(name="updated")
def device_with_two(porta, flash, image, tmp_path):
    """ota_1 was written by an update and waits for its first start."""
    path, www = flash(), tmp_path / "www"
    www.mkdir()
    shutil.copy(image(version="2"), www / "app.bin")
    server = porta.start("serve", www, "--port", "0", "--cert-dir",
                         tmp_path / "certs", "--quiet",
                         stdout=subprocess.PIPE)
    url = server.stdout.readline().strip()
    try:
        yield path, url + "app.bin", tmp_path / "certs/ca.pem"
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


def update(porta, updated, *more):
    path, url, ca = updated
    return porta("update", path, url, "--cacert", ca, *more)


# --- the map ------------------------------------------------------------------


def test_a_map_is_to_scale(porta, flash):
    path = flash()
    root = drawn(porta.ok("flash", "map", path).out)
    bar = next(r for r in root.iter(f"{SVG}rect") if r.get("class") == "free")
    top, high = float(bar.get("y")), float(bar.get("height"))
    table = porta.ok("flash", "show", path, "--json").json["table"]
    rows = table if isinstance(table, list) else table["partitions"]
    assert len(rows) >= 4
    rects = {g.find(f"{SVG}title").text.split(" ")[0]: g.find(f"{SVG}rect")
             for g in root.iter(f"{SVG}g")}
    for row in rows:
        rect = rects[row["label"]]
        size = 4 << 20
        assert float(rect.get("y")) == pytest.approx(
            top + row["offset"] / size * high, abs=0.02)
        assert float(rect.get("height")) == pytest.approx(
            row["size"] / size * high, abs=0.02)


def test_names_stand_in_the_column_where_there_is_room(porta, flash):
    root = drawn(porta.ok("flash", "map", flash()).out)
    inside = {t.text: float(t.get("y")) for t in root.iter(f"{SVG}text")
              if "in" in t.get("class").split()}
    high = {g.find(f"{SVG}title").text.split(" ")[0]: g.find(f"{SVG}rect")
            for g in root.iter(f"{SVG}g")}
    for name, rect in high.items():
        assert (name in inside) == (float(rect.get("height")) >= 18), name
        if name in inside:
            top, size = float(rect.get("y")), float(rect.get("height"))
            assert top + 10 <= inside[name] <= top + size - 3


def test_what_nobody_uses_is_free(porta, tmp_path, image):
    path = tmp_path / "big.bin"
    porta.ok("flash", "create", "-o", path, "--size", "16MB", "--table",
             "two_ota", "--app", f"factory={image()}")
    said = texts(drawn(porta.ok("flash", "map", path).out))
    assert said.count("free") == 1


def test_texts_do_not_lie_on_each_other(porta, flash):
    root = drawn(porta.ok("flash", "map", flash()).out)
    places = [float(t.get("y")) for t in root.iter(f"{SVG}text")
              if t.get("class") == "name"]
    assert len(places) > 4
    for above, below in zip(places, places[1:]):
        assert below - above >= 41


def test_a_map_names_versions_states_and_the_next_boot(porta, updated):
    path = updated[0]
    root = drawn(porta.ok("flash", "map", path).out)
    assert "demo 1" in line_of(root, "ota_0 ")
    assert "VALID (record 0, sequence 1)" in line_of(root, "ota_0 ")
    assert "no image" in line_of(root, "ota_1 ")
    assert "record 1 blank" in line_of(root, "otadata")
    before = arrow(root)
    assert update(porta, updated).code == 0
    root = drawn(porta.ok("flash", "map", path).out)
    assert "demo 2, NEW (record 1, sequence 2)" in line_of(root, "ota_1 ")
    assert arrow(root) > before
    assert "next boot" in texts(root)


def arrow(root):
    """How far down the arrow of the next boot is; it points into a part that
    is drawn as what boots."""
    line = next(p for p in root.iter(f"{SVG}polyline")
                if p.get("class") == "arrow")
    y = float(line.get("points").split()[-1].split(",")[1])
    rect = next(r for r in root.iter(f"{SVG}rect") if r.get("class") == "next")
    top = float(rect.get("y"))
    assert top <= y <= top + float(rect.get("height"))
    return y


def test_a_device_that_does_not_boot_has_no_arrow(porta, tmp_path):
    path = tmp_path / "f.bin"
    porta.ok("flash", "create", "-o", path, "--erased")
    root = drawn(porta.ok("flash", "map", path).out)
    assert "nothing boots next" in texts(root)
    assert not [p for p in root.iter(f"{SVG}polyline")
                if p.get("class") == "arrow"]


def hostile_table(path, labels, kinds=((0, 0x10), (0, 0x11))):
    """Puts a table with these labels (bytes) into a flash file."""
    rows, off = b"", 0x10000
    for i, label in enumerate(labels):
        kind = kinds[i] if i < len(kinds) else (1, 0x99)
        rows += struct.pack("<HBBII16sI", 0x50AA, *kind, off, 0x10000, label,
                            0)
        off += 0x10000
    rows += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(rows).digest()
    with open(path, "r+b") as file:
        file.seek(0x8000)
        file.write(rows.ljust(0xC00, b"\xff"))


def test_a_hostile_table_is_drawn_all_the_same(porta, tmp_path):
    path = tmp_path / f"{HOSTILE[:8].replace('/', '')}.bin"
    porta.ok("flash", "create", "-o", path, "--erased")
    hostile_table(path, [b"<&\">'</svg>", b"\x1b[31m\x01\x7f", b"\xff\xfe\x80",
                         b"\xef\xbf\xbf\xef\xbf\xbe", b"]]>&#0;--",
                         b"%s%n%99999d", b"\xc3\xa4\xe2\x82\xac"])
    root = drawn(porta.ok("flash", "map", path, "--rollback").out)
    names = [t for t in texts(root) if "(" in t]
    assert any(t.startswith("<&\">'</svg> (app") for t in names), names
    assert any(t.startswith("?[31m?? (") for t in names)
    assert any(t.startswith("??? (") for t in names)
    assert any(t.startswith("%s%n%99999d (0x01 0x99)") for t in names)
    assert any(t.startswith("\u00e4\u20ac (") for t in names)


def test_slots_behind_a_gap_are_drawn_all_the_same(porta, flash):
    """No record can name a slot where ota_0 is missing; records are there."""
    path = flash()
    hostile_table(path, [b"ota_1", b"records", b"ota_4"],
                  [(0, 0x11), (1, 0), (0, 0x14)])
    with open(path, "r+b") as file:  # where otadata is now
        file.seek(0x20000)
        file.write(struct.pack("<I20xII", 1, 2, 0x4743989A))
    root = drawn(porta.ok("flash", "map", path).out)
    assert line_of(root, "ota_1 ") and line_of(root, "ota_4 ")


def test_a_hostile_version_is_drawn_all_the_same(porta, flash, image):
    path = flash(app=image(version=HOSTILE, project="</text>&amp;"))
    root = drawn(porta.ok("flash", "map", path).out)
    assert f"</text>&amp; {HOSTILE}" in line_of(root, "ota_0 ")
    root = drawn(porta.ok("explain", path, "--svg").out)
    assert any("</text>&amp;" in t for t in texts(root))
    check_dot(porta.ok("explain", path, "--dot").out)


def test_where_the_map_goes(porta, flash, tmp_path):
    path = flash()
    before = path.read_bytes()
    for options in (["-o"], ["--svg", "-o"]):
        out = tmp_path / f"map{len(options)}.svg"
        made = porta.ok("flash", "map", path, *options, out, "--json").json
        assert made == {"file": str(out), "size": out.stat().st_size}
        assert out.read_text() == porta.ok("flash", "map", path).out
    assert path.read_bytes() == before
    assert porta("flash", "map", path, "--json").code == 2
    assert porta("flash", "map", path, "-o", tmp_path / "no/x").code == 1
    ended = porta("flash", "map", tmp_path / "none.bin")
    assert ended.code == 1 and ended.out == "" and "none.bin" in ended.err
    blank = tmp_path / "blank.bin"
    blank.write_bytes(b"\xff" * (1 << 20))
    ended = porta("flash", "map", blank, "-o", tmp_path / "blank.svg")
    assert ended.code == 1 and "table" in ended.err, ended
    assert not (tmp_path / "blank.svg").exists()


# --- the decision ---------------------------------------------------------------


def check_dot(text):
    """Reads the graph: nodes by title, and the arrows that were taken."""
    titles, ways = {}, []
    for line in text.splitlines():
        node = re.fullmatch(
            r'  (n\d+) \[fillcolor="#\w+"(?:, style="filled,dashed")?, '
            r'label="((?:[^"\\]|\\.)*)"\];', line)
        edge = re.fullmatch(r'  (n\d+) -> (n\d+) \[(\S+), '
                            r'label="((?:[^"\\]|\\.)*)"\];', line)
        if node:
            titles[node[1]] = node[2].split("\\n")[0]
        elif edge:
            ways.append((edge[1], edge[2], edge[3] == "penwidth=2"))
        else:
            assert line.strip() in ("digraph boot {", "}") or \
                re.match(r"  (node|edge) \[", line), line
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tplain"], input=text, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        assert done.stdout.count("\nnode ") == len(titles)
        assert done.stdout.count("\nedge ") == len(ways)
    return {(titles[a], titles[b]) for a, b, taken in ways if taken}


def test_the_graph_shows_the_way_that_was_taken(porta, updated):
    path = updated[0]
    taken = check_dot(porta.ok("explain", path, "--dot").out)
    assert taken == {("reset", "record 0"), ("record 0", "ota_0"),
                     ("ota_0", "starts ota_0")}
    assert update(porta, updated).code == 0
    text = porta.ok("explain", path, "--dot").out
    assert check_dot(text) == {("reset", "record 1"), ("record 1", "ota_1"),
                               ("ota_1", "starts ota_1")}
    assert "becomes PENDING_VERIFY" in text
    porta.ok("reset", path)
    text = porta.ok("explain", path, "--dot").out
    assert ("ota_0", "starts ota_0") in check_dot(text)
    assert "becomes ABORTED" in text


def test_the_graph_shows_what_was_refused(porta, updated, tmp_path):
    path = updated[0]
    assert update(porta, updated).code == 0
    slot = tmp_path / "slot"
    porta.ok("flash", "read", path, "ota_1", slot)
    data = bytearray(slot.read_bytes())
    data[5000] ^= 1
    slot.write_bytes(data)
    porta.ok("flash", "write", path, "ota_1", slot)
    text = porta.ok("explain", path, "--dot").out
    assert check_dot(text) >= {("record 1", "ota_1"), ("ota_1", "ota_0"),
                               ("ota_0", "starts ota_0")}
    assert "refused: " in text
    root = drawn(porta.ok("explain", path, "--svg").out)
    looks = [r.get("class") for r in root.iter(f"{SVG}rect")]
    assert looks.count("bad") == 1 and looks.count("good") == 2
    assert "refused" in texts(root)
    assert "starts ota_0" in texts(root)


def test_a_device_that_does_not_boot_is_drawn(porta, tmp_path):
    path = tmp_path / "f.bin"
    porta.ok("flash", "create", "-o", path, "--erased")
    assert "nothing boots" in porta.ok("explain", path, "--dot").out
    check_dot(porta.ok("explain", path, "--dot").out)
    assert "nothing boots" in texts(drawn(porta.ok("explain", path,
                                                   "--svg").out))
    path.write_bytes(b"\xff" * (1 << 20))
    check_dot(porta.ok("explain", path, "--dot").out)
    drawn(porta.ok("explain", path, "--svg").out)


def test_where_the_decision_goes(porta, flash, tmp_path):
    path, out = flash(), tmp_path / "e.svg"
    made = porta.ok("explain", path, "--svg", "-o", out, "--json").json
    assert made["file"] == str(out) and drawn(out.read_text()) is not None
    for args in (["--svg", "--dot"], ["-o", out], ["--dot", "--json"]):
        assert porta("explain", path, *args).code == 2, args
    assert porta("explain", path, "--dot", "-o", tmp_path / "no/x").code == 1


# --- the trace ------------------------------------------------------------------


def events(path):
    trace = json.loads(path.read_text())
    lanes = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"]
             if e["name"] == "thread_name"}
    return [(lanes[e["tid"]], e["name"], e["ts"], e["ts"] + e["dur"],
             e["args"]) for e in trace["traceEvents"] if e["ph"] == "X"]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_trace_has_all_of_it_in_order(porta, updated, tmp_path, tls):
    out = tmp_path / "t.json"
    ended = update(porta, updated, "--trace", out, "--tls-max", tls, "--json")
    assert ended.code == 0, ended
    seen = events(out)
    first = {}
    for lane, name, start, end, args in seen:
        assert 0 <= start <= end and args["times"] >= 1
        first.setdefault((lane, name), start)
    order = [("network", "connect"), ("network", "handshake"),
             ("network", "receive"), ("flash", "erase"),
             ("flash", "program"), ("flash", "verify"),
             ("session", "verify and activate")]
    times = [first[what] for what in order]
    assert times == sorted(times), list(zip(order, times))
    host = next(e[4]["host"] for e in seen if e[1] == "connect")
    assert re.fullmatch(r"localhost:\d+", host)
    for name, key in (("erase", "erases"), ("program", "programs")):
        cnt = sum(e[4]["times"] for e in seen if e[1] == name)
        # The boot record's own sector, and its log, come on top.
        assert ended.json[key] <= cnt <= ended.json[key] + 8, (name, cnt)
    received = sum(e[4]["bytes"] for e in seen if e[1] == "receive")
    assert received > ended.json["bytes_received"]
    shake = [e for e in seen if e[1] == "handshake"]
    assert len(shake) == ended.json["handshakes"] == 1
    for lane in ("network", "flash", "session"):
        spans = sorted((e[2], e[3]) for e in seen if e[0] == lane)
        assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:])), lane


def test_a_failure_has_a_trace_too(porta, updated, tmp_path, pki):
    out = tmp_path / "t.json"
    path, url, _ = updated
    ended = porta("update", path, url, "--cacert", pki.ca, "--trace", out)
    assert ended.code == 1
    names = [e[1] for e in events(out)]
    assert "connect" in names and "handshake, failed" in names
    assert "program" not in names
    ended = porta("update", path, "https://localhost:1/x", "--cacert", pki.ca,
                  "--trace", out)
    assert ended.code == 1
    assert [e[1] for e in events(out) if e[0] == "network"] == [
        "connect, failed"]


def test_a_trace_that_cannot_be_made_ends_it_before_it_begins(porta, updated,
                                                              tmp_path):
    before = updated[0].read_bytes()
    ended = update(porta, updated, "--trace", tmp_path / "no/t.json")
    assert ended.code == 1 and "no/t.json" in ended.err, ended
    assert updated[0].read_bytes() == before


def test_a_trace_that_is_not_yet_written_leaves_nothing(porta, updated,
                                                         tmp_path):
    (tmp_path / "t").mkdir()
    path, url, trust = updated
    ended = porta("update", path, url, "--cacert", trust, "--power-cut", 9,
                  "--trace", tmp_path / "t/t.json")
    assert ended.code == -signal.SIGKILL, ended
    assert ended.err == "porta update: power cut before flash operation 9\n"
    assert not os.listdir(tmp_path / "t")


def test_a_trace_that_is_lost_does_not_undo_the_update(porta, updated):
    ended = update(porta, updated, "--trace", "/dev/full", "--json")
    assert ended.code == 0 and ended.json["result"] == "updated", ended
    assert "no trace" in ended.err


@pytest.mark.parametrize("words", [
    ["flash", "map", "{}", "-o", "{}"],
    ["explain", "{}", "--svg", "-o", "{}"],
    ["torture", "{}", "--image", "{}", "--junit", "{}"],
    ["update", "{}", "https://localhost:1/x", "--trace", "{}"]])
def test_no_output_replaces_what_is_worked_on(porta, updated, words):
    path = updated[0]
    before = path.read_bytes()
    ended = porta(*[w.format(path) for w in words])
    assert ended.code == 1 and "works on" in ended.err, ended
    assert path.read_bytes() == before


def test_without_a_trace_the_result_is_the_same(porta, updated, tmp_path):
    path = updated[0]
    copy = tmp_path / "copy.bin"
    shutil.copy(path, copy)
    assert update(porta, updated).code == 0
    assert update(porta, (copy, *updated[1:]), "--trace",
                  tmp_path / "t").code == 0
    assert copy.read_bytes() == path.read_bytes()
