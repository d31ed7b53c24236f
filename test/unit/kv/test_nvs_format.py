"""The format both ways: images that the library wrote, read by a reader that
does not know it; images of the reference's generator, read by the same."""
import base64
import csv
import importlib.util
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import pytest

import nvs_reader as nvs

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "vectors" / "nvs"
SIZES = {"types": "0x6000", "v1": "0x3000", "many": "0x4000"}
GENERATOR = "esp_idf_nvs_partition_gen"


def make_csv():
    spec = importlib.util.spec_from_file_location("make_csv",
                                                  VECTORS / "make_csv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what we write ----------------------------------------------------------

@pytest.fixture(scope="module")
def written(tmp_path_factory):
    writer = os.environ.get("PORTA_KV_WRITE_IMAGES")
    if not writer:
        pytest.skip("PORTA_KV_WRITE_IMAGES is not set; run through ctest")
    folder = tmp_path_factory.mktemp("images")
    subprocess.run([writer, str(folder)], check=True)
    return folder


def expected(kind, text):
    raw = bytes.fromhex(text)
    if kind in nvs.NUMBERS:
        size = struct.calcsize(nvs.NUMBERS[kind])
        return kind, struct.unpack(nvs.NUMBERS[kind], raw[::-1][:size])[0]
    if kind == nvs.STR:
        return kind, raw[:-1].decode("ascii")
    return nvs.INDEX, raw


@pytest.mark.parametrize("name", ["fresh", "used", "worn"])
def test_ours(written, name):
    image = (written / f"{name}.bin").read_bytes()
    rows = json.loads((written / f"{name}.json").read_text())
    want = {key: expected(kind, text) for key, kind, text in rows}
    assert nvs.read(image) == {"app": want}


def accepts(image):
    try:
        nvs.read(bytes(image))
        return True
    except ValueError:
        return False


def test_reader_is_strict(written):
    """Whatever bit of a used slot or header changes, it says so."""
    image = bytearray((written / "fresh.bin").read_bytes())
    missed = []
    for offset in [8, 30, 32, 33, *range(64, 64 + 14 * 32, 7)]:
        image[offset] ^= 0x10
        if accepts(image):
            missed.append(offset)
        image[offset] ^= 0x10
    assert not missed and accepts(image)


# --- what the reference's generator writes ----------------------------------

def csv_value(row, files):
    kind, text = row["encoding"], row["value"]
    if row["type"] == "file":
        return files[text]
    if kind == "string":
        return text
    if kind == "hex2bin":
        return bytes.fromhex(text)
    if kind == "base64":
        return base64.b64decode(text)
    return int(text)


def csv_values(name):
    module = make_csv()
    files = {f"blob{n}.tmp": module.pattern(n, n) for n in (9000, 1900)}
    found = {}
    with open(VECTORS / f"{name}.csv", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["type"] == "namespace":
                space = found.setdefault(row["key"], {})
            else:
                space[row["key"]] = csv_value(row, files)
    return found


@pytest.mark.parametrize("name", SIZES)
def test_theirs(name):
    image = (VECTORS / f"{name}.bin").read_bytes()
    found = nvs.read(image, (0xFE, 0xFF))
    values = {space: {key: item[1] for key, item in keys.items()}
              for space, keys in found.items()}
    assert values == csv_values(name)


def generator():
    """How to run the public tool; its interpreter may be named."""
    python = os.environ.get("PORTA_NVS_GEN_PYTHON", sys.executable)
    run = subprocess.run([python, "-c", f"import {GENERATOR}"],
                         capture_output=True)
    if run.returncode:
        pytest.skip("esp-idf-nvs-partition-gen is not installed; "
                    "PORTA_NVS_GEN_PYTHON names a Python that has it")
    return [python, "-m", GENERATOR, "generate"]


@pytest.mark.parametrize("name", SIZES)
def test_fixtures_are_what_the_generator_makes(name, tmp_path):
    command = generator()
    shutil.copy(VECTORS / "make_csv.py", tmp_path)
    subprocess.run([sys.executable, "make_csv.py"], cwd=tmp_path, check=True)
    options = ["--version", "1"] if name == "v1" else []
    subprocess.run([*command, *options, f"{name}.csv", f"{name}.bin",
                    SIZES[name]], cwd=tmp_path, check=True,
                   capture_output=True)
    assert (tmp_path / f"{name}.csv").read_bytes() == \
        (VECTORS / f"{name}.csv").read_bytes()
    assert (tmp_path / f"{name}.bin").read_bytes() == \
        (VECTORS / f"{name}.bin").read_bytes()
