"""Where outputs go: through symbolic links, to standard output by any of its
names, and never half."""

import os
import pathlib
import resource
import subprocess

import pytest

import rawimage

# Every way in which a command writes a file; {} is the file.
MAKERS = {
    "flash": ["flash", "create", "--erased", "-o", "{}"],
    "image": ["image", "create", "--chip", "esp32", "--project", "p",
              "--version", "1", "--segment", "0x20000000:body", "-o", "{}"],
    "table": ["table", "build", "two_ota", "-o", "{}"],
    "key": ["key", "public", "key.pem", "-o", "{}"],
    "read": ["flash", "read", "flash.bin", "otadata", "{}"],
    "encrypted": ["image", "decrypt", "--key", "aes.key", "app.enc", "-o",
                  "{}"],
    "set": ["key", "set", "key.pem", "--set-version", "2", "-o", "{}"],
    "bundle": ["bundle", "build", "ca.pem", "-o", "{}"],
    "map": ["flash", "map", "flash.bin", "-o", "{}"],
    "dot": ["explain", "flash.bin", "--dot", "-o", "{}"],
}


@pytest.fixture(name="place", scope="module")
def folder(porta, pki, tmp_path_factory):
    """run(words) in a folder that has what the commands work on."""
    home = tmp_path_factory.mktemp("outputs")
    (home / "body").write_bytes(bytes(64))
    (home / "app").write_bytes(rawimage.image())
    (home / "ca.pem").write_bytes(pathlib.Path(pki.ca).read_bytes())
    (home / "aes.key").write_bytes(bytes(range(32)))
    porta.ok("image", "encrypt", "--key", home / "aes.key", home / "app", "-o",
             home / "app.enc")
    porta.ok("key", "new", "-o", home / "key.pem")
    porta.ok("flash", "create", "-o", home / "flash.bin", "--chip", "esp32",
             "--table", "two_ota", "--app", f"ota_0={home / 'app'}")

    def run(maker, out, *more, **how):
        words = [w.format(out) for w in MAKERS[maker]]
        return subprocess.run([porta.path, *words, *more], cwd=home,
                              stdin=subprocess.DEVNULL, check=False,
                              **{"capture_output": True, **how})

    run.home = home
    return run


@pytest.fixture(name="want")
def what_is_made(place, tmp_path):
    def make(maker):
        done = place(maker, tmp_path / "plain")
        assert done.returncode == 0, done
        return (tmp_path / "plain").read_bytes()

    return make


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_end_is_written(place, want, tmp_path, maker,
                                             there):
    """Two links, one of them relative to another folder."""
    expected = want(maker)
    (tmp_path / "far").mkdir()
    real = tmp_path / "far/real"
    if there:
        real.write_text("old")
    (tmp_path / "far/near").symlink_to("real")
    (tmp_path / "link").symlink_to(tmp_path / "far/near")
    done = place(maker, tmp_path / "link")
    assert done.returncode == 0, done
    assert (tmp_path / "link").is_symlink() and not real.is_symlink()
    assert real.read_bytes() == expected
    assert sorted(os.listdir(tmp_path / "far")) == ["near", "real"]
    assert sorted(os.listdir(tmp_path)) == ["far", "link", "plain"]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1",
                                  "/proc/self/fd/1"])
def test_standard_output_is_written_on(place, want, tmp_path, maker, name):
    """Also where it is a file that others write to, too."""
    expected = want(maker)
    with open(tmp_path / "all", "wb") as out:
        out.write(b"before")
        out.flush()
        done = place(maker, name, capture_output=False, stdout=out)
        out.write(b"after")
    assert done.returncode == 0, done
    assert (tmp_path / "all").read_bytes() == b"before" + expected + b"after"
    assert place(maker, name).stdout == expected
    assert not (place.home / "-").exists()


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_an_object_stands_there_alone(place, maker, name):
    done = place(maker, name, "--json", text=True)
    assert done.returncode == 2 and done.stdout.count("\n") == 1, done
    assert "cannot both go to standard output" in done.stderr


@pytest.mark.parametrize("maker", MAKERS)
def test_links_without_an_end(place, tmp_path, maker):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    done = place(maker, tmp_path / "a", text=True)
    assert done.returncode == 1, done
    assert "Too many levels of symbolic links" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_number_that_is_not_open(place):
    done = place("table", "/dev/fd/987", text=True)
    assert done.returncode == 1 and "Bad file descriptor" in done.stderr, done


def test_a_link_to_standard_output(place, want, tmp_path):
    (tmp_path / "link").symlink_to("/dev/stdout")
    assert place("table", tmp_path / "link").stdout == want("table")
    assert (tmp_path / "link").is_symlink()


def test_a_link_to_a_private_key_spares_it(place, tmp_path):
    before = (place.home / "key.pem").read_bytes()
    (tmp_path / "link").symlink_to(place.home / "key.pem")
    done = place("table", tmp_path / "link", text=True)
    assert done.returncode == 1 and "private key" in done.stderr, done
    assert (place.home / "key.pem").read_bytes() == before


@pytest.mark.parametrize("maker", MAKERS)
def test_a_file_that_may_not_grow(place, tmp_path, maker):
    """A limit (ulimit -f) is an error with a sentence, and no signal."""
    done = place(maker, tmp_path / "out", text=True, preexec_fn=lambda:
                 resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16)))
    assert done.returncode == 1 and "File too large" in done.stderr, done
    assert not os.listdir(tmp_path)
