"""pack.py - from a program to what a device is made of: an image, signed when
the project says so, a partition table, and a flash file with both."""
import json
import os
import subprocess

import app_source
from failure import Failure

SCHEMES = {"SECURE_SIGNED_APPS_ECDSA_SCHEME": "v1",
           "SECURE_SIGNED_APPS_RSA_SCHEME": "rsa3072"}


class Tools:
    """The command, and the places it is given."""

    def __init__(self, args):
        self.command, self.project, self.out = args.porta, args.project, \
            args.out

    def porta(self, *words):
        done = subprocess.run([self.command, *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode:
            raise Failure(done.stderr.strip() or f"porta {words[0]} failed")
        return done.stdout

    def in_project(self, path):
        return os.path.join(self.project, path)

    def in_build(self, *path):
        return os.path.join(self.out, *path)

    # --- keys ---

    @staticmethod
    def scheme(config):
        for option, name in SCHEMES.items():
            if config.get(option):
                return name
        return "ecdsa384" if config.get("SECURE_BOOT_ECDSA_KEY_LEN_384_BITS") \
            else "ecdsa256"

    def key_file(self, config, option):
        path = self.in_project(config[option])
        if not os.path.exists(path):
            raise Failure(f"{path} is not there: CONFIG_{option} names it; "
                          "porta key new makes one for the scheme "
                          f"{self.scheme(config)}")
        return path

    def public_key(self, config):
        """The key that images must be signed with; None: none needs to be."""
        if not config.get("SECURE_SIGNED_APPS"):
            return None
        if not config.get("SECURE_BOOT_BUILD_SIGNED_BINARIES"):
            return self.key_file(config, "SECURE_BOOT_VERIFICATION_KEY")
        private = self.key_file(config, "SECURE_BOOT_SIGNING_KEY")
        public = self.in_build("config", "signature_verification_key.pem")
        self.porta("key", "public", private, "-o", public)
        return public

    def raw_key(self, public):
        """X and Y, 64 bytes, of a key in PEM or in just these bytes."""
        with open(public, "rb") as file:
            raw = file.read()
        if len(raw) == 64:
            return raw
        path = self.in_build("config", "signature_verification_key.bin")
        self.porta("key", "public", public, "--raw", "-o", path)
        with open(path, "rb") as file:
            return file.read()


# --- the image ---------------------------------------------------------------

def make_image(args, tools, config, out):
    stripped = args.elf + ".stripped"
    subprocess.run([args.strip, "-o", stripped, args.elf], check=True)
    version, name = args.version, args.name
    if config.get("APP_EXCLUDE_PROJECT_VER_VAR"):
        version = "-"
    if config.get("APP_EXCLUDE_PROJECT_NAME_VAR"):
        name = "-"
    tools.porta("image", "create", "--chip", "linux", "--elf", stripped,
                "--project", name, "--version", version,
                "--ota-client", args.elf,
                "--idf-ver", "v" + config["IDF_INIT_VERSION"],
                "--secure-version",
                str(config.get("BOOTLOADER_APP_SECURE_VERSION", 0)),
                "--flash-size", config["ESPTOOLPY_FLASHSIZE"], "-o", out)
    os.remove(stripped)


def sign_image(tools, config, path):
    if not config.get("SECURE_SIGNED_APPS") or \
            not config.get("SECURE_BOOT_BUILD_SIGNED_BINARIES"):
        return
    key = tools.key_file(config, "SECURE_BOOT_SIGNING_KEY")
    plain = path + ".unsigned"
    os.replace(path, plain)
    tools.porta("image", "sign", "--scheme", tools.scheme(config), "--key",
                key, plain, "-o", path)


# --- the table ---------------------------------------------------------------

def table_source(tools, config):
    if config.get("PARTITION_TABLE_CUSTOM"):
        name = config["PARTITION_TABLE_CUSTOM_FILENAME"]
        path = tools.in_project(name)
        if not os.path.exists(path):
            raise Failure(f"{path} is not there: "
                          "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME names it")
        return path
    name = config["PARTITION_TABLE_FILENAME"]
    return name.removeprefix("partitions_").removesuffix(".csv")


def check_table(config, rows):
    """What does not break the table, but this project."""
    kinds = [(r["type"], r["subtype"]) for r in rows]
    slots = sorted(int(kind[4:]) for type_, kind in kinds
                   if type_ == "app" and kind.startswith("ota_"))
    if slots != list(range(len(slots))):
        raise Failure("the OTA slots of the partition table are "
                      f"{', '.join(f'ota_{n}' for n in slots)}: they must "
                      "begin with ota_0 and have no gap, or slots after the "
                      "gap are never used")
    if kinds.count(("data", "ota")) > 1:
        raise Failure("the partition table has "
                      f"{kinds.count(('data', 'ota'))} otadata partitions; "
                      "the bootloader reads one")
    if slots and ("data", "ota") not in kinds:
        raise Failure("the partition table has OTA slots and no otadata "
                      "partition (data, ota): an update could not be chosen")
    if config.get("BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE") and \
            ("data", "efuse") not in kinds:
        raise Failure("CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE needs a "
                      "partition of type data and subtype efuse (5) in the "
                      "table")
    if not any(type_ == "app" for type_, _ in kinds):
        raise Failure("the partition table has no partition for an "
                      "application")


def first_app(rows):
    apps = [r for r in rows if r["type"] == "app"]
    for wanted in ("factory", "ota_0"):
        for row in apps:
            if row["subtype"] == wanted:
                return row["label"]
    return apps[0]["label"]


def make_table(tools, config, out):
    shown = json.loads(tools.porta(
        "table", "build", table_source(tools, config), "-o", out,
        "--offset", hex(config["PARTITION_TABLE_OFFSET"]),
        "--flash-size", config["ESPTOOLPY_FLASHSIZE"], "--json"))
    for warning in shown.get("warnings", []):
        print(f"note: partition table: {warning}")
    check_table(config, shown["partitions"])
    return shown["partitions"]


# --- the flash ---------------------------------------------------------------

def boot_options(tools, config):
    words = ["--rollback" if config.get("BOOTLOADER_APP_ROLLBACK_ENABLE")
             else "--no-rollback"]
    if config.get("BOOTLOADER_APP_ANTI_ROLLBACK"):
        words += ["--anti-rollback", "--sec-ver-bits",
                  str(config["BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD"]),
                  "--fuse-chip", config["IDF_TARGET"]]
    if config.get("BOOTLOADER_APP_ROLLBACK_ENABLE"):
        words += ["--trial-boots", str(config["PORTA_TRIAL_BOOTS"]),
                  "--trial-power", str(config["PORTA_TRIAL_POWER"]),
                  "--deny-list" if config.get("PORTA_DENY_LIST")
                  else "--no-deny-list"]
    if config.get("SECURE_SIGNED_APPS"):
        words += ["--require-signed", tools.scheme(config), "--verify-key",
                  tools.public_key(config),
                  "--signed-on-boot" if config.get("SECURE_SIGNED_ON_BOOT")
                  else "--no-signed-on-boot"]
    return words


def make_flash(tools, config, rows, image):
    tools.porta("flash", "create", "-o", tools.in_build("flash.bin"), "--chip",
                "linux", "--size", config["ESPTOOLPY_FLASHSIZE"], "--table",
                table_source(tools, config), "--table-offset",
                hex(config["PARTITION_TABLE_OFFSET"]),
                "--app", f"{first_app(rows)}={image}",
                *boot_options(tools, config))


def load(args):
    with open(args.config, encoding="utf-8") as file:
        return json.load(file)


def run(args):
    config, tools = load(args), Tools(args)
    image = tools.in_build(args.name + ".bin")
    os.makedirs(tools.in_build("partition_table"), exist_ok=True)
    rows = make_table(tools, config, tools.in_build(
        "partition_table", "partition-table.bin"))
    make_image(args, tools, config, image)
    sign_image(tools, config, image)
    make_flash(tools, config, rows, image)
    write_result(args, tools, config)


def write_result(args, tools, config):
    """What was made, for `porta build`."""
    offset = config["PARTITION_TABLE_OFFSET"]
    result = {"result": "built", "project": args.name,
              "version": args.version,
              "image": tools.in_build(args.name + ".bin"),
              "flash": tools.in_build("flash.bin"),
              "table": tools.in_build("partition_table",
                                      "partition-table.bin"),
              "program": args.elf, "device_options":
              f"--table-offset {offset:#x}" if offset != 0x8000 else ""}
    with open(tools.in_build("project.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)


def write_source(args):
    """app_config.c, for the compiler."""
    text = app_source.source(Tools(args), load(args))
    path = os.path.join(args.out, "config", "app_config.c")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
