"""`make docs`: Doxygen reads every public header without a warning, and finds
the comments."""
import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as xml

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not shutil.which("doxygen"),
                                reason="doxygen is not installed")


def made(folder, source=ROOT):
    return subprocess.run(
        ["doxygen", ROOT / "tools/doxygen/Doxyfile"], text=True,
        capture_output=True, check=False,
        env={**os.environ, "PORTA_SOURCE": str(source),
             "PORTA_DOCS": str(folder), "PORTA_VERSION": "0"})


def words(node):
    return "".join(node.itertext()).strip()


def test_the_pages(tmp_path):
    done = made(tmp_path)
    assert done.returncode == 0, done.stderr
    page = xml.parse(tmp_path / "xml/esp__https__ota_8h.xml")
    said = {node.findtext("name"): words(node.find("briefdescription"))
            for node in page.iter("memberdef")}
    assert said["esp_https_ota"].startswith("ESP_OK: the new image boots")
    assert "download an image" in words(
        page.find("compounddef/briefdescription")) + words(
        page.find("compounddef/detaileddescription"))
    pages = {p.name for p in (tmp_path / "html").glob("*_8h.html")}
    assert len(pages) >= len(list((ROOT / "include").glob("*.h")))


def test_a_header_under_another_name_is_an_error(tmp_path):
    source = tmp_path / "source"
    (source / "tools/doxygen").mkdir(parents=True)
    (source / "include").mkdir()
    shutil.copy(ROOT / "tools/doxygen/filter.py", source / "tools/doxygen")
    (source / "include/a.h").write_text(
        "/* b.h - was moved. */\nint f(int right);\n")
    done = made(tmp_path / "out", source)
    assert done.returncode != 0 and "b.h" in done.stderr
