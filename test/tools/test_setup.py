"""Set-up: both forms of apt's sources, a fetch that is complete or absent.

Nothing here touches the network or the machine's packages: apt reads an
archive in a temporary folder, and dpkg-query, apt-get and sudo are stand-ins
where packages are concerned."""
import hashlib
import os
import pathlib
import shlex
import subprocess
import tarfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PRELUDE = f"""
set -eu
here={ROOT}
did=
say() {{ echo "setup: $*"; }}
die() {{ echo "setup: $*" >&2; exit 1; }}
. "$here/tools/setup/packages.sh"
. "$here/tools/setup/source.sh"
. "$here/tools/setup/python.sh"
"""


def shell(script, **env):
    return subprocess.run(["sh", "-c", PRELUDE + script], text=True,
                          capture_output=True, env={**os.environ, **env})


def stanzas(etc):
    run = shell("source_stanzas bookworm", PORTA_APT_ETC=str(etc))
    assert run.returncode == 0, run.stderr
    return [dict(line.split(": ", 1) for line in block.splitlines()
                 if not line.startswith(" "))
            for block in run.stdout.strip().split("\n\n") if block]


@pytest.fixture
def etc(tmp_path):
    folder = tmp_path / "apt"
    (folder / "sources.list.d").mkdir(parents=True)
    return folder


def expected(uri, key=KEYRING):
    return {"Types": "deb-src", "URIs": uri, "Suites": "trixie",
            "Components": "main", "Signed-By": key}


DEB822 = [
    ("the form of a new installation",
     "Types: deb\n# a comment\nURIs: http://mirror/debian\n"
     "Suites: bookworm bookworm-updates\nComponents: main\n"
     f"Signed-By: {KEYRING}\n\n"
     "Types: deb\nURIs: http://mirror/security\nSuites: bookworm-security\n"
     f"Components: main\nSigned-By: {KEYRING}\n",
     [expected("http://mirror/debian")]),
    ("field names in any case, blanks, more components",
     "types: deb deb-src\nuris:   http://m/d\nSUITES: bookworm\n"
     "components: contrib main\n", [expected("http://m/d")]),
    ("suites continued on the next line",
     "Types: deb\nURIs: http://m/d\nSuites: bookworm-updates\n bookworm\n"
     "Components: main\n", [expected("http://m/d")]),
    ("a disabled stanza is none",
     "Enabled: no\nTypes: deb\nURIs: http://m/d\nSuites: bookworm\n"
     "Components: main\n", []),
    ("a third party with a suite or component of its own is not Debian",
     "Types: deb\nURIs: http://m/d\nSuites: nodistro\nComponents: main\n\n"
     "Types: deb\nURIs: http://m/e\nSuites: bookworm\nComponents: stable\n",
     []),
    ("DOS line ends", "Types: deb\r\nURIs: http://m/d\r\nSuites: bookworm\r\n"
     "Components: main\r\n", [expected("http://m/d")]),
    ("a key of its own is kept",
     "Types: deb\nURIs: http://m/d\nSuites: bookworm\nComponents: main\n"
     "Signed-By: /etc/key.gpg\n", [expected("http://m/d", "/etc/key.gpg")]),
]


@pytest.mark.parametrize("claim, text, want", DEB822)
def test_deb822(etc, claim, text, want):
    (etc / "sources.list.d/debian.sources").write_bytes(text.encode())
    assert stanzas(etc) == want, claim


def test_deb822_key_written_out_stays_whole(etc):
    (etc / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://m/d\nSuites: bookworm\nComponents: main\n"
        "Signed-By:\n -----BEGIN KEY-----\n .\n abc\n -----END KEY-----\n")
    run = shell("source_stanzas bookworm", PORTA_APT_ETC=str(etc))
    assert "Signed-By: \n -----BEGIN KEY-----\n .\n abc\n" in run.stdout


ONE_LINE = [
    ("the classic form",
     "# main\ndeb http://mirror/debian bookworm main\n"
     "deb http://mirror/security bookworm-security main\n"
     "deb-src http://mirror/debian bookworm main\n",
     [expected("http://mirror/debian")]),
    ("options in brackets",
     "deb [arch=amd64 signed-by=/etc/key.gpg] http://m/d bookworm main non-free\n",
     [expected("http://m/d", "/etc/key.gpg")]),
    ("blanks and tabs, a comment behind", "  deb\thttp://m/d  bookworm\tmain # x\n",
     [expected("http://m/d")]),
    ("commented out", "# deb http://m/d bookworm main\n", []),
    ("a third party", "deb http://m/d cloud-bookworm main\n"
     "deb http://m/e bookworm stable\n", []),
]


@pytest.mark.parametrize("claim, text, want", ONE_LINE)
@pytest.mark.parametrize("place", ["sources.list", "sources.list.d/a.list"])
def test_one_line(etc, claim, text, want, place):
    (etc / place).write_text(text)
    assert stanzas(etc) == want, claim


def test_this_machine_has_an_archive():
    run = shell('source_stanzas "$(. /etc/os-release && '
                'echo "$VERSION_CODENAME")"')
    assert "Suites: trixie" in run.stdout


class Archive:
    """A Debian archive with one source package, in a folder."""

    def __init__(self, folder, version="3.6.9", damage=False):
        self.folder = folder
        pool = folder / "pool"
        pool.mkdir(parents=True)
        tree = folder / f"mbedtls-{version}"
        (tree / "library").mkdir(parents=True)
        (tree / "library/ssl_tls.c").write_text("/* a stand-in */\n")
        tar = pool / f"mbedtls_{version}.tar.gz"
        with tarfile.open(tar, "w:gz") as out:
            out.add(tree, f"mbedtls-{version}")
        files = self.digests(tar)
        dsc = pool / f"mbedtls_{version}.dsc"
        dsc.write_text("Format: 1.0\nSource: mbedtls\n"
                       f"Binary: x\nArchitecture: any\nVersion: {version}\n"
                       "Maintainer: N <n@example.com>\n" + files)
        index = folder / "dists/trixie/main/source"
        index.mkdir(parents=True)
        (index / "Sources").write_text(
            f"Package: mbedtls\nFormat: 1.0\nBinary: x\nArchitecture: any\n"
            f"Version: {version}\nMaintainer: N <n@example.com>\n"
            f"Directory: pool\n" + self.digests(dsc, tar) + "\n")
        (folder / "dists/trixie/Release").write_text(
            "Origin: Test\nSuite: stable\nCodename: trixie\n"
            "Architectures: amd64\nComponents: main\nSHA256:\n " +
            self.digest(index / "Sources") + " main/source/Sources\n")
        if damage:
            data = bytearray(tar.read_bytes())
            data[len(data) // 2] ^= 1
            tar.write_bytes(data)

    @staticmethod
    def digest(path, kind="sha256"):
        data = path.read_bytes()
        return f"{hashlib.new(kind, data).hexdigest()} {len(data)}"

    def digests(self, *paths):
        text = ""
        for field, kind in (("Files", "md5"), ("Checksums-Sha256", "sha256")):
            text += field + ":\n" + "".join(
                f" {self.digest(p, kind)} {p.name}\n" for p in paths)
        return text

    def source(self, trusted):
        codename = next(line.split("=")[1].strip().strip('"') for line in
                        open("/etc/os-release", encoding="utf-8")
                        if line.startswith("VERSION_CODENAME"))
        trust = "Trusted: yes\n" if trusted else ""
        return (f"Types: deb\nURIs: file:{self.folder}\nSuites: {codename}\n"
                f"Components: main\n{trust}")


def fetch(etc, dest, times=1):
    return shell(f'source_fetch mbedtls 3.6. library/ssl_tls.c "{dest}"\n'
                 * times, PORTA_APT_ETC=str(etc))


def left_in(dest):
    return sorted(p.name for p in dest.iterdir()) if dest.exists() else []


def test_fetch_is_complete_and_done_once(etc, tmp_path):
    archive = Archive(tmp_path / "archive")
    (etc / "sources.list.d/a.sources").write_text(archive.source(True))
    dest = tmp_path / "deps"
    run = fetch(etc, dest, times=2)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("fetching the source package") == 1
    assert left_in(dest) == ["mbedtls-3.6.9"]
    assert (dest / "mbedtls-3.6.9/library/ssl_tls.c").exists()


def test_fetch_goes_on_to_the_next_archive(etc, tmp_path):
    old = Archive(tmp_path / "old", version="2.28.3")
    new = Archive(tmp_path / "new")
    (etc / "sources.list.d/a.sources").write_text(
        old.source(True) + "\n" + new.source(True))
    dest = tmp_path / "deps"
    assert fetch(etc, dest).returncode == 0
    assert left_in(dest) == ["mbedtls-3.6.9"]


@pytest.mark.parametrize("claim, archive, trusted", [
    ("an archive without a signature is refused", {}, False),
    ("a damaged file is refused", {"damage": True}, True),
    ("another version is not taken", {"version": "2.28.3"}, True)])
def test_fetch_leaves_nothing_behind(etc, tmp_path, claim, archive, trusted):
    made = Archive(tmp_path / "archive", **archive)
    (etc / "sources.list.d/a.sources").write_text(made.source(trusted))
    dest = tmp_path / "deps"
    run = fetch(etc, dest)
    assert run.returncode != 0, claim
    assert "could not be fetched" in run.stderr
    assert left_in(dest) == []


def test_no_archive_is_said(etc, tmp_path):
    run = fetch(etc, tmp_path / "deps")
    assert run.returncode != 0
    assert "no Debian archive" in run.stderr
    assert left_in(tmp_path / "deps") == []


class Machine:
    """Stand-ins for the programs that set-up of packages runs; what they are
    asked to do is in `log`."""

    def __init__(self, folder, installed="", known=True, root=True, sudo=True):
        self.log = folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.program("dpkg-query", "for p; do case ' %s ' in *\" $p \"*) "
                     "echo \"$p installed\";; esac; done" % installed)
        self.program("apt-cache", "exit %d" % (not known))
        self.program("apt-get", f"echo apt-get \"$@\" >>{self.log}")
        self.program("id", f"echo {0 if root else 1000}")
        if sudo:
            self.program("sudo", f"echo sudo >>{self.log}; exec \"$@\"")
        for name in ("sh", "env", "sed", "head", "tr"):
            os.symlink(f"/usr/bin/{name}", self.bin / name)

    def program(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def install(self, group="build", **env):
        run = subprocess.run(
            ["/bin/sh", "-c", PRELUDE + f"packages_install {group}"], text=True,
            capture_output=True, env={"PATH": str(self.bin), **env})
        log = self.log.read_text() if self.log.exists() else ""
        return run, log


def all_packages(group):
    return " ".join(shell(f"packages_of {group}").stdout.split())


def test_nothing_missing_runs_nothing(tmp_path):
    run, log = Machine(tmp_path, installed=all_packages("all")).install("all")
    assert (run.returncode, run.stdout, log) == (0, "", "")


def test_only_what_is_missing_is_installed(tmp_path):
    names = all_packages("build").replace("cmake ", "")
    run, log = Machine(tmp_path, installed=names).install()
    assert run.returncode == 0, run.stderr
    assert log.strip().endswith("--no-install-recommends cmake")
    assert "update" not in log


def test_a_missing_index_is_fetched_first(tmp_path):
    run, log = Machine(tmp_path, known=False).install()
    assert run.returncode == 0
    assert [("update" in line, "install" in line)
            for line in log.splitlines()] == [(True, False), (False, True)]


def test_without_root_sudo_is_asked(tmp_path):
    run, log = Machine(tmp_path, root=False).install()
    assert run.returncode == 0
    assert log.startswith("sudo\napt-get")


def test_without_root_and_sudo_it_says_what_to_do(tmp_path):
    run, log = Machine(tmp_path, root=False, sudo=False).install()
    assert run.returncode != 0 and log == ""
    assert "as root run: apt-get install gcc" in run.stderr


LACKS = [
    ("what only tests use", "test", "valgrind", {}, True),
    ("the same in CI", "test", "valgrind", {"CI": "true"}, False),
    ("what only tools use", "dev", "clang", {}, True),
    ("a compiler", "dev", "gcc", {}, False),
]


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("claim, group, lacks, env, goes_on", LACKS)
def test_what_cannot_be_installed(tmp_path, claim, group, lacks, env, goes_on,
                                  root):
    names = all_packages(group).split()
    names.remove(lacks)
    machine = Machine(tmp_path, installed=" ".join(names), root=root,
                      sudo=False)
    machine.program("apt-get", "exit 100")
    run, _ = machine.install(group, **env)
    assert (run.returncode == 0) == goes_on, claim
    why = "apt could not install" if root else "as root run: apt-get install"
    assert f"{why}{':' * root} {lacks}\n" in run.stderr, run.stderr
    assert (f"going on without {lacks}:" in run.stdout) == goes_on, claim


def python_fetch(folder, does):
    """python_fetch() with a stand-in for python3 -m pip, whose last but one
    argument is the folder to fill. Runs it twice."""
    fake = folder / "python"
    fake.write_text(f"#!/bin/sh\necho pip >>{shlex.quote(str(folder))}/log\n"
                    "for a; do into=$last last=$a; done\n" + does + "\n")
    fake.chmod(0o755)
    run = shell(f'python_fetch tool 1.2 module "{folder}/deps"\n' * 2,
                PYTHON=str(fake))
    return run, (folder / "log").read_text().count("pip")


def test_a_python_program_is_fetched_once(tmp_path):
    run, times = python_fetch(tmp_path, 'mkdir -p "$into/module"')
    assert run.returncode == 0, run.stderr
    assert left_in(tmp_path / "deps") == ["tool-1.2"]
    assert (tmp_path / "deps/tool-1.2/module").is_dir()
    assert times == 1


@pytest.mark.parametrize("claim, does", [
    ("pip cannot fetch it", "exit 1"),
    ("pip fails half-way", 'mkdir -p "$into/module"; exit 1'),
    ("what came is something else", 'mkdir -p "$into/other"')])
def test_set_up_goes_on_without_a_python_program(tmp_path, claim, does):
    run, times = python_fetch(tmp_path, does)
    assert run.returncode == 0, claim
    assert run.stdout.count("the test that needs it is skipped") == 2
    assert left_in(tmp_path / "deps") == [] and times == 2
