"""docs/porting-from-esp-idf.md: its commands, run as they stand, with other
folders and a free port."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BIN, PROJECTS, SANITIZED, SOURCE

PAGE = (SOURCE / "docs/porting-from-esp-idf.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.S)


@pytest.fixture(name="shell")
def made_shell(tmp_path):
    """shell(block) runs it; ~/my_project is the advanced example, which looks
    at the server of the page."""
    if SANITIZED:
        pytest.skip("a sanitized program does not fit the project's slots")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project = tmp_path / "my_project"
    shutil.copytree(PROJECTS / "advanced", project)
    (project / "CMakeLists.txt").write_text(
        (project / "CMakeLists.txt").read_text()
        .replace("project(advanced)", "project(my_project)"))
    defaults = (project / "sdkconfig.defaults").read_text()
    (project / "sdkconfig.defaults").write_text(
        "\n".join(l for l in defaults.splitlines() if "PROJECT_VER" not in l)
        + f'\nCONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="https://localhost:{port}'
        '/my_project.bin"\n')
    (project / "version.txt").write_text("1\n")
    serve = ["porta serve www", f"porta serve www --port {port} > url.txt"]
    wait = "until [ -s url.txt ]; do sleep 0.05; done"

    def run(text):
        text = text.replace("~/my_project", str(project)) \
            .replace("/tmp/b", str(tmp_path / "b")).replace(*serve) \
            .replace("sleep 1", wait)
        script = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{text}"
        return subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, text=True,
            capture_output=True, timeout=100, stdin=subprocess.DEVNULL,
            check=False, env={**os.environ, "PATH":
                              f"{BIN}:{os.environ['PATH']}"})
    run.project, run.folder, run.port = project, tmp_path, port
    return run


def certificate(shell):
    """What `porta serve --cert-dir certs` makes is made before the build, for
    the project embeds it."""
    folder = shell.folder
    (folder / "www").mkdir()
    server = subprocess.Popen(
        [BIN / "porta", "serve", folder / "www", "--port", "0", "--cert-dir",
         folder / "certs"], text=True, stdout=subprocess.PIPE)
    server.stdout.readline()
    server.terminate()
    server.communicate()
    (shell.project / "server_certs").mkdir(exist_ok=True)
    shutil.copy(folder / "certs/ca.pem",
                shell.project / "server_certs/ca_cert.pem")


def test_the_first_block(shell):
    """Its last two lines: a project becomes a device that runs."""
    certificate(shell)
    lines = [l for l in BLOCKS[0].splitlines() if l.startswith("porta ")]
    assert len(lines) == 2, lines
    lines[1] = lines[1].replace("flash.bin", "flash.bin --boots 1")
    done = shell("\n".join(lines))
    assert done.returncode == 0 and "version 1 starts" in done.stdout, done


def test_versions_and_an_update(shell):
    certificate(shell)
    block = next(b for b in BLOCKS if "cp /tmp/b/flash.bin device.bin" in b)
    done = shell(block)
    assert done.returncode == 0, done.stderr
    assert "advanced: version 1 starts" in done.stdout, done
    assert "advanced: version 2 starts" in done.stdout, done
    assert "rollback cancelled" in done.stdout
    assert "ota_1" in done.stdout.splitlines()[-1] or \
        "ota_1" in done.stdout, done


def test_a_bad_server(shell):
    certificate(shell)
    build = next(b for b in BLOCKS if "cp /tmp/b/flash.bin device.bin" in b) \
        .split("porta serve")[0]
    bad = next(b for b in BLOCKS if "truncate@100000" in b)
    done = shell(build + bad)
    assert done.returncode == 0, done
    log = (shell.folder / "log").read_text()
    assert "upgrade failed" in log and "version 2" not in log


def test_every_verb_it_names_is_there():
    for verb in set(re.findall(r"\bporta ([a-z]+)", "".join(BLOCKS))):
        done = subprocess.run([BIN / "porta", "help", verb], check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, verb
    for option in set(re.findall(r"porta device [^\n`]*?(--[a-z-]+)", PAGE)):
        page = subprocess.run([BIN / "porta", "help", "device"], check=True,
                              capture_output=True, text=True).stdout
        assert option in page, option
