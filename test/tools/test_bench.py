"""bench/run on a machine that lacks what it compares with: it names what it
left out, and writes the rest."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import sys

import pytest

SOURCE = pathlib.Path(os.environ["PORTA_SOURCE"])
BIN = pathlib.Path(os.environ["PORTA_BIN"])
sys.path[:0] = [str(SOURCE / "bench"), str(SOURCE / "test/e2e")]

import lab  # noqa: E402
import nginx  # noqa: E402


def load_run():
    loader = importlib.machinery.SourceFileLoader(
        "bench_run", str(SOURCE / "bench/run"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("bench_run", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """PATH has openssl and nothing that is measured; a busy machine."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "openssl").symlink_to(shutil.which("openssl"))
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(nginx, "find", lambda: None)
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 99.0, 99.0))
    build = tmp_path / "build"
    build.mkdir()
    (build / "bin").symlink_to(BIN)
    monkeypatch.setattr(sys, "argv", ["run", str(build), "--quick", "--runs",
                                      "1", "--sizes", "0.2"])
    return build


@pytest.mark.skipif(not shutil.which("openssl"),
                    reason="openssl is not installed")
def test_what_is_missing_is_named_and_the_rest_written(bare):
    load_run().main()
    report = json.loads((bare / "bench.json").read_text())
    told = "\n".join(report["skipped"])
    for missing in ("nginx is not installed", "valgrind is not installed",
                    "quiet: 99.0",
                    "test_power_update is not built"):
        assert missing in told, told
    assert [row["bytes"] > 50000 and row["wall_s"]["median"] > 0
            for row in report["boot"]] == [True] * 3
    assert report["proofs"]["porta torture"]["count"] > 500
    assert "updates" not in report and "instructions" not in report
    table = (bare / "bench.md").read_text()
    assert "Skipped: " in table and "a boot, by the size" in table


def test_ratios_are_of_pairs():
    """A machine that becomes twice as slow in between changes no ratio."""
    a, b = [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]
    assert lab.paired(a, b) == {"median": 2.0, "min": 2.0, "max": 2.0}
    assert lab.spread([3, 1, 2]) == {"median": 2, "min": 1, "max": 3}
