"""create_esp_enc_img() in a project's CMakeLists.txt, and the scheme's option."""
import subprocess

import pytest

import conftest
from conftest import PROJECTS, porta

CALL = """
idf_build_get_property(project_dir PROJECT_DIR)
create_esp_enc_img(${CMAKE_BINARY_DIR}/${CMAKE_PROJECT_NAME}.bin
    ${project_dir}/rsa_key/private.pem
    ${CMAKE_BINARY_DIR}/${CMAKE_PROJECT_NAME}_secure.bin app)
"""


@pytest.fixture
def encrypted(project, pki, tmp_path):
    made = project(PROJECTS / "pre_encrypted")
    with open(pki.ca, encoding="ascii") as file:
        made.write("server_certs/ca_cert.pem", file.read())
    lists = (made.dir / "main/CMakeLists.txt").read_text()
    made.write("main/CMakeLists.txt", lists + CALL)
    made.key = made.dir / "rsa_key/private.pem"
    made.defaults = tmp_path / "more.defaults"
    made.words = conftest.roomy(tmp_path, made, [
        str(made.dir / "sdkconfig.defaults"), str(made.defaults)])
    made.defaults.write_text("")
    return made


def test_image_is_encrypted(encrypted, tmp_path):
    encrypted.write("rsa_key/private.pem", "")
    subprocess.run(["openssl", "genrsa", "-out", encrypted.key, "3072"],
                   check=True, capture_output=True)
    encrypted.before = encrypted.snapshot()
    encrypted.defaults.write_text("CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES=y\n")
    encrypted.build(*encrypted.words)
    out = tmp_path / "plain"
    porta("image", "decrypt", "--key", encrypted.key,
          encrypted.out / "pre_encrypted_secure.bin", "-o", out)
    assert out.read_bytes() == (encrypted.out /
                                "pre_encrypted.bin").read_bytes()
    assert encrypted.config("PRE_ENCRYPTED_OTA_USE_ECIES") == "1"
    assert encrypted.config("PRE_ENCRYPTED_OTA_USE_RSA") is None
    # Nothing changed: nothing is encrypted again.
    before = (encrypted.out / "pre_encrypted_secure.bin").read_bytes()
    encrypted.build(*encrypted.words)
    assert (encrypted.out /
            "pre_encrypted_secure.bin").read_bytes() == before


def test_no_key(encrypted):
    """Said before anything is compiled."""
    ended = encrypted.build(*encrypted.words, ok=False)
    assert ended.code == 1 and "private.pem" in ended.err, ended
