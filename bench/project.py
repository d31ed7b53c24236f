"""From an ESP-IDF project directory to a device that runs it: the time of
`porta build` and of the first line that the application says."""
import os
import shutil
import statistics
import subprocess
import time

from lab import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "..", "examples", "projects", "one_shot")


def until_it_runs(porta, project, out):
    """Seconds of the build, and from there to the application's first line."""
    start = time.monotonic()
    done = subprocess.run([porta, "build", project, "-o", out], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise Skip(done.stderr.strip()[-200:])
    built = time.monotonic()
    device = subprocess.Popen(
        [porta, "device", os.path.join(out, "flash.bin")], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    for line in device.stdout:
        if "one_shot: version" in line:
            break
    ran = time.monotonic()
    device.terminate()
    device.stdout.close()
    device.wait(timeout=30)
    return built - start, ran - built


def measure(bench):
    """Adds "project" to the report; a fresh build folder each time."""
    project = bench.path("one_shot")
    shutil.copytree(PROJECT, project)
    os.makedirs(os.path.join(project, "server_certs"), exist_ok=True)
    shutil.copy(bench.ca, os.path.join(project, "server_certs/ca_cert.pem"))
    times = []
    for run in range(min(bench.runs, 3)):
        out = bench.path(f"one_shot-{run}")
        times.append(until_it_runs(bench.porta, project, out))
        shutil.rmtree(out)
    bench.report["project"] = {
        name: statistics.median(t[i] for t in times)
        for i, name in enumerate(("build_s", "boot_s"))}


def table(report):
    if "project" not in report:
        return []
    times = report["project"]
    return ["", "An ESP-IDF project (one_shot): built in "
            f"{times['build_s']:.2f} s, runs {times['boot_s']:.2f} s later."]
