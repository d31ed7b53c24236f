"""docs/tutorial.md, from its first line to its last, as a reader would: its
files are written, its blocks run one after the other in one folder."""
import os

import pages
from conftest import needs_nginx, strangers

PAGE = pages.Page("docs/tutorial.md")
# What the page says that one sees: in which part, which block of it.
SEEN = {
    ("A device", 0): ["lamp 1, from factory", "Connection refused"],
    ("An update from nginx", 0): ["lamp 1, from factory", "lamp 2, from ota_0",
                                  "boots ota_0, lamp 2"],
    ("A release that crashes", 0): ["lamp 3, from ota_1", "signal 6",
                                    "given up", "ota_1     "],
    ("A release that crashes", 1): ["lamp 2, from factory",
                                    "lamp 3, from ota_0"],
    ("A release that crashes", 2): [],
    ("A bad server", 0): ["after 100000 of", "boots factory, lamp 1"],
    ("Power cuts", 0): ["power cut before flash operation 3\n",
                        "boots factory, lamp 1", "lamp 2, from ota_0"],
    ("Power cuts", 1): ["nothing was lost"],
    ("A project", 0): [],
    ("In CI", 0): ["4 passed, 0 failed"],
}


def mine(text):
    """nginx of root gives its workers away to a user who may not look into
    the folders of pytest."""
    if os.geteuid() == 0:
        text = text.replace("events {}", "user root;\nevents {}")
    return text


@strangers
@needs_nginx
def test_the_page_from_first_to_last(reader):
    seen = 0
    for block in PAGE.all("cmake", "ini", "c", "nginx", "toml", "sh"):
        if block.kind != "sh":
            reader.write(block.file, mine(block.text))
            continue
        said = reader.run(block.text)
        for words in SEEN[block.heading, block.number]:
            assert words in said, (words, block, said)
        # What went wrong is told, and not again when the session is closed.
        assert said.count("after 100000 of") <= 1, said
        seen += 1
    assert seen == len(SEEN)
