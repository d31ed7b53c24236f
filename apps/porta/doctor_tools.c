/* Programs that building and testing need, and their versions. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "capture.h"

#define TOOL_WAIT_MS 10000u

struct tool {
    const char *purpose; /* the first that needs it */
    const char *name;    /* for people */
    const char *words[4];
    const char *least; /* version; NULL: any */
    const char *package;
};

/* A purpose needs what those above it need, too. */
static const char *const purposes[] = { "run", "project", "build", "test",
                                        "board" };

static const struct tool tools[] = {
    { "project", "cmake", { "cmake", "--version" }, "3.25", "cmake" },
    { "project", "ninja", { "ninja", "--version" }, NULL, "ninja-build" },
    { "project", "C compiler", { "cc", "--version" }, NULL, "gcc libc6-dev" },
    { "project",
      "Python",
      { "/usr/bin/python3", "--version" },
      "3.9",
      "python3" },
    { "project",
      "kconfiglib",
      { "/usr/bin/python3", "-c", "import kconfiglib" },
      NULL,
      "python3-kconfiglib" },
    { "build", "make", { "make", "--version" }, NULL, "make" },
    { "build",
      "pkg-config",
      { "pkg-config", "--version" },
      NULL,
      "pkg-config" },
    { "build", "C++ compiler", { "c++", "--version" }, NULL, "g++" },
    { "build",
      "toml++",
      { "pkg-config", "--modversion", "tomlplusplus" },
      NULL,
      "libtomlplusplus-dev" },
    { "build",
      "libmicrohttpd",
      { "pkg-config", "--modversion", "libmicrohttpd" },
      NULL,
      "libmicrohttpd-dev" },
    { "build",
      "GnuTLS",
      { "pkg-config", "--modversion", "gnutls" },
      NULL,
      "libgnutls28-dev" },
    { "build",
      "cJSON",
      { "pkg-config", "--modversion", "libcjson" },
      NULL,
      "libcjson-dev" },
    { "test",
      "pytest",
      { "/usr/bin/python3", "-m", "pytest", "--version" },
      NULL,
      "python3-pytest" },
    { "test", "openssl", { "openssl", "version" }, "3.0", "openssl" },
    { "test", "curl", { "curl", "--version" }, NULL, "curl" },
    { "test", "nginx", { "nginx", "-v" }, NULL, "nginx-light" },
    { "test", "valgrind", { "valgrind", "--version" }, NULL, "valgrind" },
    { "test", "model checker", { "spin", "-V" }, NULL, "spin" },
    { "board",
      "cross compiler",
      { "riscv64-unknown-elf-gcc", "--version" },
      NULL,
      "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" },
    { "board",
      "emulator",
      { "qemu-system-riscv32", "--version" },
      NULL,
      "qemu-system-misc" },
};

static size_t rank_of(const char *purpose)
{
    size_t i = 0;

    while (i < sizeof(purposes) / sizeof(purposes[0]) &&
           strcmp(purposes[i], purpose) != 0)
        i++;
    return i;
}

bool doctor_purpose_ok(const char *purpose)
{
    return rank_of(purpose) < sizeof(purposes) / sizeof(purposes[0]);
}

/* The first "N.N..." in what a program said; "" if there is none. */
static void version_in(const char *said, char out[32])
{
    size_t len = 0;

    for (; *said; said++) {
        len = strspn(said, "0123456789.");
        if (len >= 3 && *said != '.' && memchr(said, '.', len))
            break;
        if (len > 0)
            said += len - 1;
        len = 0;
    }
    while (len > 0 && said[len - 1] == '.')
        len--;
    snprintf(out, 32, "%.*s", (int)(len < 31 ? len : 31), said);
}

/* Part by part, as numbers. */
static bool is_older(const char *version, const char *least)
{
    while (*least) {
        unsigned long a = strtoul(version, (char **)(uintptr_t)&version, 10);
        unsigned long b = strtoul(least, (char **)(uintptr_t)&least, 10);

        if (a != b)
            return a < b;
        version += *version == '.';
        least += *least == '.';
    }
    return false;
}

static void check_tool(struct doctor *d, const struct tool *t, bool needed)
{
    struct doctor_check *c = doctor_add(d, "tools", t->name);
    const char *words[5] = { t->words[0], t->words[1], t->words[2],
                             t->words[3] };
    enum doctor_status worst = needed ? DOCTOR_BAD : DOCTOR_WARN;
    char said[2048], version[32];
    const struct capture_what what = { words, TOOL_WAIT_MS, false, NULL };
    int status = capture(&what, said, sizeof(said));

    version_in(said, version);
    if (status < CAPTURE_MISSING)
        doctor_found(c, worst, "%s does not answer", t->words[0]);
    else if (status != 0)
        doctor_found(c, worst, "not there; needed for: %s", t->purpose);
    else if (t->least && (!version[0] || is_older(version, t->least)))
        doctor_found(c, worst, "version %s, at least %s is needed for: %s",
                     version[0] ? version : "unknown", t->least, t->purpose);
    else
        doctor_found(c, DOCTOR_OK, "%s", version[0] ? version : "there");
    if (c->status != DOCTOR_OK)
        doctor_mend(c, "apt-get install %s", t->package);
}

void doctor_tools(struct doctor *d)
{
    size_t asked = d->o->purpose ? rank_of(d->o->purpose) : 0;

    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        bool needed = rank_of(tools[i].purpose) <= asked;

        if (needed || !d->o->purpose)
            check_tool(d, &tools[i], needed && d->o->purpose);
    }
}
