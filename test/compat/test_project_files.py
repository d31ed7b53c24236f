"""CMakeLists.txt and what else makes a project: what is understood, and one
sentence for what is not."""
import json
import os
import re
import subprocess

import pytest

from conftest import BIN, SANITIZED, Project, device, porta, roomy

MAIN = """#include <stdio.h>
#include "esp_app_desc.h"
void app_main(void)
{
    const esp_app_desc_t *desc = esp_app_get_description();
    printf("fact %s %s\\n", desc->project_name, desc->version);
}
"""
TOP = """cmake_minimum_required(VERSION 3.16)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
"""


@pytest.fixture(name="make")
def maker(tmp_path):
    """make({file: text}) -> a project; what is not named is the least."""
    def make(files=None):
        source = tmp_path / "mine"
        source.mkdir()
        least = {"CMakeLists.txt": TOP + "project(mine)\n",
                 "main/CMakeLists.txt":
                     'idf_component_register(SRCS "main.c")\n',
                 "main/main.c": MAIN, "version.txt": "1\n"}
        for name, text in {**least, **(files or {})}.items():
            if text is None:
                continue
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        folder = tmp_path / "copy"
        folder.mkdir()
        project = Project(folder, source)
        project.room = roomy(folder, project)
        return project
    return make


def says(project):
    return device(project.flash, "--boots", "1").out


def sentence(ended):
    """The one sentence of a build that failed."""
    assert ended.code in (1, 2), ended
    lines = [l for l in ended.err.splitlines() if l.startswith("porta build:")]
    assert len(lines) == 1, ended
    return lines[0]


# --- what is understood ------------------------------------------------------

def test_components(make):
    """Of components/, of EXTRA_COMPONENT_DIRS, one with headers alone, C++,
    files of SRC_DIRS, and data in binary and as text."""
    project = make({
        "CMakeLists.txt": TOP +
        "set(EXTRA_COMPONENT_DIRS more $ENV{IDF_PATH}/examples/"
        "common_components/protocol_examples_common)\n"
        "project(mine VERSION 4.5)\n"
        "target_add_binary_data(mine.elf late.txt TEXT)\n",
        "late.txt": "late", "version.txt": None,
        "main/CMakeLists.txt":
            'idf_component_register(SRC_DIRS "." EXCLUDE_SRCS "not.c"\n'
            '  PRIV_REQUIRES cpp esp_event EMBED_FILES raw.bin\n'
            '  EMBED_TXTFILES "a-b.txt")\n'
            "target_compile_definitions(${COMPONENT_LIB} PRIVATE FROM=7)\n"
            "idf_component_get_property(lib esp_wifi COMPONENT_LIB)\n"
            "target_link_libraries(${COMPONENT_LIB} PRIVATE ${lib}\n"
            "    idf::esp_timer idf::add)\n"
            "if(CONFIG_IDF_TARGET_ESP32)\n"
            "  idf_component_optional_requires(PRIVATE add nothing)\n"
            "endif()\n",
        "main/raw.bin": "raw", "main/a-b.txt": "text", "main/not.c": "#error",
        "main/main.c": """#include <stdio.h>
#include "add.h"
#include "twice.hpp"
#include "only.h"
extern const char raw[] asm("_binary_raw_bin_start");
extern const char raw_end[] asm("_binary_raw_bin_end");
extern const char text[] asm("_binary_a_b_txt_start");
extern const char text_end[] asm("_binary_a_b_txt_end");
extern const char late[] asm("_binary_late_txt_start");
void app_main(void)
{
    printf("fact sum %d %d %d %d\\n", add(2, 3), twice(4), ONLY, FROM);
    printf("fact data %.*s %d %s %d %s\\n", (int)(raw_end - raw), raw,
           (int)(raw_end - raw), text, (int)(text_end - text), late);
}
""",
        "components/add/CMakeLists.txt":
            'idf_component_register(SRCS add.c INCLUDE_DIRS include)\n',
        "components/add/add.c": "int add(int a, int b) { return a + b; }\n",
        "components/add/include/add.h": "int add(int a, int b);\n",
        "components/only/CMakeLists.txt":
            'idf_component_register(INCLUDE_DIRS . REQUIRES add)\n',
        "components/only/only.h": "#define ONLY 11\n",
        "more/cpp/CMakeLists.txt":
            'idf_component_register(SRCS twice.cpp INCLUDE_DIRS .)\n',
        "more/cpp/twice.hpp": "#ifdef __cplusplus\nextern \"C\"\n#endif\n"
                              "int twice(int a);\n",
        "more/cpp/twice.cpp": '#include "twice.hpp"\n'
                              "template <class T> T two(T a) { return a + a; }"
                              "\nint twice(int a) { return two(a); }\n"})
    project.build(*project.room)
    text = says(project)
    assert "fact sum 5 8 11 7" in text and \
        "fact data raw 3 text 5 late" in text, text


CPP_MAIN = """#include <cstdio>
#include <stdexcept>
#include <thread>
#include "esp_https_ota.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "station.h"
extern const char root[] asm("_binary_root_pem_start");
extern "C" void app_main(void)
{
    esp_http_client_config_t http = {};
    esp_https_ota_config_t ota = {};
    esp_https_ota_handle_t handle = nullptr;
    int sum = 0;
    http.url = "http://localhost/";
    http.cert_pem = root;
    ota.http_config = &http;
    std::thread([&] { sum += 40; }).join();
    try {
        if (esp_https_ota_begin(&ota, &handle) != ESP_OK)
            throw std::runtime_error("begin");
    } catch (const std::exception &e) {
        std::printf("fact %s %d %s %d\\n", e.what(), sum + GATEWAY, root,
                    station());
    }
}
"""
STATION = """#include "station.h"
#include "esp_wifi.h"
#include "lwip/err.h"
#include "lwip/sys.h"
int station(void)
{
    wifi_config_t conf = { .sta = {
        .ssid = "lab", .password = "secret",
        .threshold.authmode = WIFI_AUTH_WPA2_PSK,
        .sae_pwe_h2e = WPA3_SAE_PWE_BOTH, .sae_h2e_identifier = "",
        .pmf_cfg = { .capable = true, .required = false } } };
    return conf.sta.ssid[0];
}
"""


def test_a_program_in_cpp(make):
    """C++ with exceptions and threads; data under another name; options of the
    compiler for all components; what ESP-IDF's linker alone reads."""
    project = make({
        "CMakeLists.txt": TOP + "project(mine LANGUAGES C CXX)\n"
        "target_add_binary_data(mine.elf server.pem TEXT RENAME_TO root_pem)\n",
        "server.pem": "PEM", "main/linker.lf": "", "main/main.c": None,
        "components/station/CMakeLists.txt":
            "idf_component_register(SRCS station.c INCLUDE_DIRS .\n"
            "    REQUIRES esp_wifi REQUIRED_IDF_TARGETS esp32 esp32s3)\n",
        "components/station/station.c": STATION,
        "components/station/station.h":
            "#ifdef __cplusplus\nextern \"C\"\n#endif\nint station(void);\n",
        "main/CMakeLists.txt":
            "idf_component_register(SRCS main.cpp LDFRAGMENTS linker.lf\n"
            "    PRIV_REQUIRES esp_https_ota station)\n"
            "target_compile_definitions(${COMPONENT_LIB} PRIVATE GATEWAY=2)\n"
            "target_compile_features(${COMPONENT_LIB} PUBLIC cxx_std_17)\n",
        "main/main.cpp": CPP_MAIN})
    project.build(*project.room)
    assert "fact begin 42 PEM 108" in says(project)


def test_managed_components_and_the_old_form(make):
    project = make({
        "managed_components/acme__gear/CMakeLists.txt":
            "set(COMPONENT_SRCS gear.c)\nset(COMPONENT_ADD_INCLUDEDIRS .)\n"
            "register_component()\n",
        "managed_components/acme__gear/gear.h": "int gear(void);\n",
        "managed_components/acme__gear/gear.c": "int gear(void) { return 6; }",
        "main/idf_component.yml": "dependencies:\n  acme/gear: \"^1\"\n"
                                  "  idf:\n    version: \">=5\"\n",
        "main/CMakeLists.txt": "idf_component_register(SRCS main.c\n"
                               "    REQUIRES acme__gear)\n",
        "main/main.c": '#include <stdio.h>\n#include "gear.h"\n'
                       'void app_main(void) { printf("gear %d\\n", gear()); }'})
    project.build(*project.room)
    assert "gear 6" in says(project)


def test_components_that_a_manifest_names(make):
    """path: of idf_component.yml, and what the component there names."""
    def part(name, number, more=""):
        return {f"shared/{name}/CMakeLists.txt":
                f"idf_component_register(SRCS {name}.c INCLUDE_DIRS .)\n",
                f"shared/{name}/{name}.h": f"int {name}(void);\n",
                f"shared/{name}/{name}.c": f"int {name}(void) "
                                           f"{{ return {number}; }}\n",
                f"shared/{name}/idf_component.yml": more}
    project = make({
        **part("gear", 6, "dependencies:\n  acme/wheel:\n    version: '*'\n"
               "    override_path: '../wheel'\n"), **part("wheel", 4),
        "main/idf_component.yml":
            "dependencies:\n  gear:\n    path: ../shared/gear # ours\n"
            "  protocol_examples_common:\n    path: ${IDF_PATH}/examples/"
            "common_components/protocol_examples_common\n",
        "main/CMakeLists.txt": "idf_component_register(SRCS main.c\n"
                               "    PRIV_REQUIRES gear wheel)\n",
        "main/main.c": '#include <stdio.h>\n#include "gear.h"\n'
                       '#include "wheel.h"\nvoid app_main(void) '
                       '{ printf("fact %d\\n", gear() * 10 + wheel()); }'})
    project.build(*project.room)
    assert "fact 64" in says(project)


# claim, files, words of the build, environment, version
VERSIONS = [
    ("version.txt", {"version.txt": "from-file\n"}, [], {}, "from-file"),
    ("project(VERSION)", {"version.txt": None, "CMakeLists.txt": TOP +
                          "project(mine VERSION 2.3.4)\n"}, [], {}, "2.3.4"),
    ("PROJECT_VER of the command", {}, ["-D", "PROJECT_VER=cmd"], {}, "cmd"),
    ("PROJECT_VER of the file", {"CMakeLists.txt": TOP +
                                 'set(PROJECT_VER "set")\nproject(mine)\n'},
     [], {}, "set"),
    ("PROJECT_VER of the environment", {}, [], {"PROJECT_VER": "env"}, "env"),
    ("more than 31 bytes", {"version.txt": "v" * 40}, [], {}, "v" * 31),
    ("nothing", {"version.txt": None}, [], {"GIT_CEILING_DIRECTORIES": "/"},
     "1"),
]


VERSION_ROWS = VERSIONS[:1] if SANITIZED else VERSIONS


@pytest.mark.parametrize("claim,files,words,env,version", VERSION_ROWS,
                         ids=[row[0] for row in VERSION_ROWS])
def test_version(make, claim, files, words, env, version):
    project = make(files)
    ended = project.build(*project.room, *words, "--json", env=env)
    assert json.loads(ended.out)["version"] == version


def test_a_version_that_does_not_count(make):
    """The project's option wins, as in ESP-IDF, and that is said."""
    project = make({"sdkconfig.defaults":
                    "CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\n"
                    'CONFIG_APP_PROJECT_VER="7"\n'})
    said = []
    for version in ("7", "8"):
        ended = project.build(*project.room, "-D", f"PROJECT_VER={version}")
        assert project.config("APP_PROJECT_VER") == '"7"'
        said.append("note: -D PROJECT_VER=8 does not count" in ended.err)
    assert said == [False, True], ended


def test_version_from_git(make):
    project = make({"version.txt": None})
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C",
           str(project.dir)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"],
                  ["tag", "v9"]):
        subprocess.run([*git, *words], check=True)
    project.before = project.snapshot()
    made = porta("build", project.dir, "-o", project.out, *project.room,
                 "--json")
    assert json.loads(made.out)["version"] == "v9"


def test_defaults_of_the_target(make):
    """sdkconfig.defaults.<target> after sdkconfig.defaults, and a list of
    other files in their place."""
    if SANITIZED:
        pytest.skip("a sanitized program does not fit the default table")
    project = make({
        "sdkconfig.defaults": 'CONFIG_IDF_TARGET="esp32s3"\n'
                              "CONFIG_FREERTOS_HZ=200\n",
        "sdkconfig.defaults.esp32s3": "CONFIG_FREERTOS_HZ=250\n",
        "sdkconfig.defaults.esp32": "CONFIG_FREERTOS_HZ=300\n",
        "other": "CONFIG_FREERTOS_HZ=400\n",
        "other.esp32": "CONFIG_ESP_MAIN_TASK_STACK_SIZE=9999\n"})
    project.build()
    assert project.config("FREERTOS_HZ") == "250"
    assert project.config("IDF_TARGET_ESP32S3") == "1"
    again = project.out.parent / "again"
    project.build("-D", "SDKCONFIG_DEFAULTS=other", out=again)
    assert project.config("FREERTOS_HZ", again) == "400"
    assert project.config("ESP_MAIN_TASK_STACK_SIZE", again) == "9999"


def test_what_is_made(make):
    """A program, an image, a table, a flash file: what --json names."""
    project = make()
    made = json.loads(project.build(*project.room, "--json").out)
    assert made["result"] == "built" and made["project"] == "mine"
    for name in ("program", "image", "table", "flash"):
        assert os.path.getsize(made[name]) > 0
    info = json.loads(porta("image", "info", made["image"], "--json").out)
    assert info["chip_name"] == "linux" and info["project"] == "mine"
    shown = porta("table", "show", made["table"]).out
    assert "otadata" in shown if SANITIZED else "factory" in shown


CLIENT = """#include <stdio.h>
#include "esp_https_ota.h"
void app_main(void)
{
    esp_http_client_config_t http = { .url = "https://h.example/f.bin" };
    esp_https_ota_config_t ota = { .http_config = &http };
    printf("fact %d\\n", (int)esp_https_ota(&ota));
}
"""


@pytest.mark.parametrize("source,record", [(MAIN, None), (CLIENT, True)])
def test_an_image_says_whether_it_can_be_updated(make, source, record):
    """docs/preflight.md: the record that porta update asks for."""
    project = make({"main/main.c": source})
    made = json.loads(project.build(*project.room, "--json").out)
    updates = json.loads(porta("image", "info", made["image"],
                               "--json").out)["updates"]
    assert (updates and updates["ota_client"]) is record, updates


def test_a_folder_with_a_strange_name(make, tmp_path):
    """Blanks, a quote and a dollar in the names; the default build folder is
    build/ in the project, and nothing else appears there."""
    project = make({"main/CMakeLists.txt":
                    "idf_component_register(SRCS main.c\n"
                    "    EMBED_TXTFILES note.txt)\n",
                    "main/note.txt": "x"})
    strange = tmp_path / "my 'own' $project"
    project.dir.rename(strange)
    made = porta("build", strange, *[w.replace(str(project.dir), str(strange))
                                     for w in project.room])
    assert "mine 1" in made.out
    assert {p.name for p in strange.iterdir()} >= {"build", "main"}
    assert "fact mine 1" in device(strange / "build/flash.bin", "--boots",
                                   "1").out


def test_nothing_is_built_twice(make):
    project = make()
    project.build(*project.room)
    before = (project.out / "flash.bin").stat().st_mtime_ns
    project.build(*project.room)
    assert (project.out / "flash.bin").stat().st_mtime_ns == before


PIN = """orsource "$IDF_PATH/examples/common_components/env_caps/\
$IDF_TARGET/Kconfig.env_caps"
config MY_PIN
    int "pin"
    range ENV_GPIO_RANGE_MIN ENV_GPIO_IN_RANGE_MAX
    default 4
"""
PINS = [
    ("its default is inside", "esp32", "", 0, "4"),
    ("the last of an esp32", "esp32", "39", 0, "39"),
    ("one past it", "esp32", "40", 1, "it must be from 0 to 39"),
    ("one past that of an esp32c3", "esp32c3", "20", 1, "from 0 to 19"),
]


@pytest.mark.parametrize("claim,chip,pin,code,want", PINS,
                         ids=[row[0] for row in PINS])
def test_pins_of_the_chip(make, claim, chip, pin, code, want):
    """Ranges from env_caps, which projects include by the chip's name."""
    project = make({"main/Kconfig.projbuild": PIN, "sdkconfig.defaults":
                    f'CONFIG_IDF_TARGET="{chip}"\n'
                    + (f"CONFIG_MY_PIN={pin}\n" if pin else "")})
    ended = project.build(*project.room, ok=False)
    assert ended.code == code, ended
    if code:
        assert want in sentence(ended)
    else:
        header = (project.out / "config/sdkconfig.h").read_text()
        assert f"#define CONFIG_MY_PIN {want}\n" in header


def test_kconfig_by_another_name(make):
    """idf_component_register(KCONFIG ... KCONFIG_PROJBUILD ...)."""
    project = make({
        "main/CMakeLists.txt": "idf_component_register(SRCS main.c\n"
                               "    # KCONFIG none\n"
                               "    KCONFIG Kconfig.mine\n    KCONFIG_PROJBUILD"
                               ' "${CMAKE_CURRENT_LIST_DIR}/more/Top")\n',
        "main/Kconfig.mine": "config MINE\n    int \"m\"\n    default 3\n",
        "main/more/Top": "config TOP\n    int \"t\"\n    default 4\n"})
    project.build(*project.room)
    assert project.config("MINE") == "3" and project.config("TOP") == "4"


def test_range_that_nobody_defines(make):
    project = make({"main/Kconfig.projbuild": "config MY_PIN\n    int \"pin\"\n"
                    "    range 0 NO_SUCH_END\n    default 4\n"})
    assert "CONFIG_MY_PIN names NO_SUCH_END, which no Kconfig defines" in \
        project.build(*project.room).err


# --- what is not -------------------------------------------------------------

def yml(name):
    return {"main/idf_component.yml": f"dependencies:\n  {name}: \"*\"\n"}


def registered(words):
    return {"main/CMakeLists.txt":
            f"idf_component_register(SRCS main.c {words})\n"}


def body(text):
    return {"main/main.c": text}


def table(text, more=""):
    return {"sdkconfig.defaults":
            "CONFIG_PARTITION_TABLE_CUSTOM=y\n"
            "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n" + more,
            "partitions.csv": text}


EMULATE = ("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
           "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
           "CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE=y\n")
SLOTS = ("otadata, data, ota, , 0x2000\nota_0, app, ota_0, , 1M\n"
         "ota_1, app, ota_1, , 1M\n")
WRONG = [
    ("a component that is not here", registered("REQUIRES esp_lcd"),
     r"component 'esp_lcd', which is neither .* here\. Offered are: app_update"
     r".*, tcp_transport$"),
    ("one that the registry has", yml("espressif/mdns"),
     r"idf_component.yml asks for the component 'espressif/mdns'"),
    ("a manifest's folder that is not there", {
        "main/idf_component.yml": "dependencies:\n  a:\n    path: ../none\n"},
     "names the folder .*/none, which is no component"),
    ("a folder of ESP-IDF that is not here", {
        "CMakeLists.txt": TOP + "set(EXTRA_COMPONENT_DIRS "
        "$ENV{IDF_PATH}/examples/common_components/led_strip)\n"
        "project(mine)\n"}, "component 'led_strip'"),
    ("a folder that is not there", {
        "CMakeLists.txt": TOP + "set(EXTRA_COMPONENT_DIRS nowhere)\n"
        "project(mine)\n"}, "which is no folder"),
    ("no component", {"main/CMakeLists.txt": None}, "has no component"),
    ("a folder that registers nothing", {"main/CMakeLists.txt": "\n"},
     "registers no component"),
    ("a certificate that is missing",
     registered("EMBED_TXTFILES ca_cert.pem"),
     r"the file to embed, .*/main/ca_cert.pem, is not there"),
    ("a source that is missing",
     {"main/CMakeLists.txt": "idf_component_register(SRCS other.c)\n"},
     "the source other.c is not there"),
    ("a word that is none", {"main/CMakeLists.txt":
                             "idf_component_register(NOT_A_WORD SRCS main.c)\n"},
     "does not know: NOT_A_WORD"),
    ("a Kconfig that is missing", registered("KCONFIG Kconfig.none"),
     "KCONFIG names .*/main/Kconfig.none, which is not there"),
    ("a command that is none", {"main/CMakeLists.txt": "spiffs_make(x)\n"},
     "Unknown CMake command .spiffs_make"),
    ("a function that nobody has",
     body("int esp_now_init(void);\nint esp_now_send(void);\n"
          "void app_main(void) { esp_now_init(); esp_now_send(); }\n"),
     r"uses esp_now_init, esp_now_send, which neither it nor porta has "
     r"\(main.c:3\)"),
    ("no app_main", body("int other;\n"), r"has no app_main\(\), with which"),
    ("a file that was not embedded",
     body("extern const char a[] asm(\"_binary_ca_cert_pem_start\");\n"
          "void app_main(void) { (void)*(volatile const char *)a; }\n"),
     "uses _binary_ca_cert_pem_start, and no file of that name is embedded"),
    ("a function that is there twice",
     body("int g(void);\nint f(void) { return g(); }\n"
          "void app_main(void) { f(); }\n")
     | {"main/b.c": "int f(void) { return 2; }\nint g(void) { return 3; }\n"}
     | registered("b.c"), "f is defined twice"),
    ("a header that nobody has", body("#include \"esp_lcd_panel.h\"\n"),
     r"includes esp_lcd_panel.h, which neither it nor porta has\. Offered "
     r"are: .*driver/gpio.h.*, spi_flash_mmap.h$"),
    ("Bluetooth", body("#include \"esp_bt.h\"\nvoid app_main(void) { }\n"),
     "includes esp_bt.h, which neither"),
    ("an error of the compiler", body("void app_main(void) { x = 1; }\n"),
     r"main.c:1:\d+: error: .x. undeclared"),
    ("slots that overlap", table("a, app, ota_0, 0x10000, 1M\n"
                                 "b, app, ota_1, 0x20000, 1M\n"),
     "overlap"),
    ("a slot that is misaligned", table("a, app, ota_0, 0x11000, 1M\n"),
     "0x10000|64"),
    ("a table that outgrows the flash", table(SLOTS.replace("1M", "3M")),
     "4 ?MB|0x400000|4194304|4,194,304"),
    ("two otadata", table(SLOTS + "other, data, ota, , 0x2000\n"), "otadata"),
    ("a gap in the slots", table(SLOTS.replace("ota_1", "ota_2")),
     "must begin with ota_0 and have no gap"),
    ("slots without otadata", table("ota_0, app, ota_0, , 1M\n"),
     "no otadata partition"),
    ("no application", table("nvs, data, nvs, , 0x4000\n"),
     "no partition for an application"),
    ("a table that is no CSV", table("nvs, data\n"), "nvs|field|line 1"),
    ("emulated fuses without a partition", table(SLOTS, EMULATE),
     "needs a partition of type data and subtype efuse"),
    ("a table that is missing", {"sdkconfig.defaults":
                                 "CONFIG_PARTITION_TABLE_CUSTOM=y\n"},
     "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME names it"),
    ("a bad option", {"sdkconfig.defaults": "CONFIG_FREERTOS_HZ=fast\n"},
     "sdkconfig.defaults:1: CONFIG_FREERTOS_HZ=fast: the option wants"),
    ("a chip that nobody knows",
     {"sdkconfig.defaults": 'CONFIG_IDF_TARGET="esp99"\n'},
     "there are esp32, esp32s2"),
    ("a program that is too large for its slot",
     table("otadata, data, ota, , 0x2000\nota_0, app, ota_0, , 64K\n"),
     "slot ota_0 holds 65536; build a smaller image"),
]


# What is wrong is said by CMake and Python, in which sanitizers see nothing.
ROWS = WRONG[::5] if SANITIZED else WRONG


@pytest.mark.parametrize("claim,files,pattern", ROWS,
                         ids=[row[0] for row in ROWS])
def test_wrong(make, claim, files, pattern):
    said = sentence(make(files).build(ok=False))
    assert re.search(pattern, said), said


def test_wrong_command_lines(make, tmp_path):
    project = make()
    assert "is no folder" in sentence(porta("build", tmp_path / "no", ok=False))
    (tmp_path / "empty").mkdir()
    assert "an ESP-IDF project has one" in \
        sentence(porta("build", tmp_path / "empty", ok=False))
    assert "NAME=VALUE" in sentence(project.build("-D", "x", ok=False))
    assert "is an option of the project" in sentence(
        project.build("-D", "CONFIG_ANY=y", ok=False))
    assert "is not there" in sentence(project.build(
        "-D", "SDKCONFIG_DEFAULTS=none", ok=False))
    assert porta("build", ok=False).code == 2


def test_a_build_that_is_mended_goes_on(make):
    """The sentence of the last attempt does not stay."""
    project = make(registered("REQUIRES esp_lcd"))
    sentence(project.build(ok=False))
    project.write("main/CMakeLists.txt",
                  'idf_component_register(SRCS "main.c")\n')
    project.build(*project.room)
    assert "fact mine 1" in says(project)


def test_cmake_alone(make):
    """Without `porta build`: IDF_PATH and cmake, as in ESP-IDF."""
    project = make()
    env = {**os.environ, "IDF_PATH": str(BIN.parent / "share/porta/idf")}
    for command in (["cmake", "-G", "Ninja", "-S", project.dir, "-B",
                     project.out, *project.room], ["ninja", "-C", project.out]):
        subprocess.run([str(w) for w in command], check=True, env=env,
                       capture_output=True)
    assert "fact mine 1" in says(project)
