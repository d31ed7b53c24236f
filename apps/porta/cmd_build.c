/* porta build - an ESP-IDF project directory for Linux.
 *
 * The work is CMake's (share/porta/idf/tools/cmake); this finds it, runs it
 * and turns what goes wrong into a sentence. A step that knows its sentence
 * leaves it in porta-error.txt of the build folder. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_output.h"
#include "cli_term.h"
#include "cmds.h"
#include "linux_retry.h"

#define PATH_LEN 4096
#define WORDS_MAX (CLI_LIST_MAX + 16)
#define SENTENCE_LEN 8192

struct opts {
    const char *out;
    struct cli_list defines;
    bool verbose;
    bool json;
};

static const struct cli_opt options[] = {
    { "-o", "OUT", "the build folder (DIR/build)", CLI_KIND_TEXT,
      offsetof(struct opts, out) },
    { "-D", "NAME=VALUE",
      "a variable of CMake, such as SDKCONFIG_DEFAULTS; may be repeated",
      CLI_KIND_LIST, offsetof(struct opts, defines) },
    { "-v", NULL, "show what the build says", CLI_KIND_FLAG,
      offsetof(struct opts, verbose) },
    CLI_OPT_JSON(struct opts, json),
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "build",
    .usage = "DIR",
    .summary = "build an ESP-IDF project directory for Linux, unchanged",
    .text =
        "DIR has a CMakeLists.txt that includes "
        "$ENV{IDF_PATH}/tools/cmake/project.cmake.\nThe build folder then "
        "holds NAME.elf (for debuggers), NAME.bin (the image, for\nservers), "
        "partition_table/partition-table.bin and flash.bin: a device's flash "
        "with\nthe image in its first slot, made anew by each build.\n\n"
        "Options come from sdkconfig.defaults (-D SDKCONFIG_DEFAULTS='a;b' "
        "for others) and\nfrom DIR/sdkconfig when it is there. Nothing is "
        "written outside the build folder.",
    .example = "porta build my_project\n"
               "porta build my_project -o /tmp/b -D PROJECT_VER=2\n"
               "porta device my_project/build/flash.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

struct build {
    const struct opts *o;
    char dir[PATH_LEN];
    char out[PATH_LEN];
    char idf[PATH_LEN]; /* IDF_PATH */
    struct build_output said;
    int why; /* errno: a command did not run; 0: it did */
    struct diag d;
    char sentence[SENTENCE_LEN]; /* what d has no room for; "": d says it */
};

/* --- places --------------------------------------------------------------- */

static esp_err_t fail_args(struct build *b, const char *path, const char *what)
{
    return diag_fail(&b->d, DIAG_STAGE_ARGS, ESP_ERR_NOT_FOUND, "%s %s", path,
                     what);
}

/* The command line is wrong, unless errno says that it cannot be told. */
static esp_err_t fail_look(struct build *b, const char *path, const char *what)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return fail_args(b, path, what);
    return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL, "cannot look at %s: %s",
                     path, strerror(errno));
}

/* share/porta/idf beside bin/, in a build folder as where it is installed. */
static esp_err_t find_idf(struct build *b)
{
    char exe[PATH_LEN - 64];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[len > 0 ? len : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(exe, '/');
        if (slash)
            *slash = '\0';
    }
    snprintf(b->idf, sizeof(b->idf), "%s/share/porta/idf", exe);
    if (access(b->idf, R_OK) == 0)
        return ESP_OK;
    return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                     "%s is not there: this porta was copied without its "
                     "share/ folder; use the one of a build folder, or "
                     "install it with cmake --install",
                     b->idf);
}

static esp_err_t find_project(struct build *b, const char *dir)
{
    char file[PATH_LEN + 32];
    if (!realpath(dir, b->dir))
        return fail_look(b, dir, "is no folder");
    snprintf(file, sizeof(file), "%s/CMakeLists.txt", b->dir);
    if (access(file, R_OK) != 0)
        return fail_look(b, file, "is not there: an ESP-IDF project has one");
    if (b->o->out) {
        if (strlen(b->o->out) >= sizeof(b->out) - 64)
            return fail_args(b, b->o->out, "is too long a name for -o");
        snprintf(b->out, sizeof(b->out), "%s", b->o->out);
    } else {
        if (strlen(b->dir) >= sizeof(b->out) - 64)
            return fail_args(b, b->dir, "is too long a name");
        snprintf(b->out, sizeof(b->out), "%.*s/build", PATH_LEN - 64, b->dir);
    }
    if (mkdir(b->out, 0777) != 0 && errno != EEXIST)
        return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL,
                         "cannot make the folder %s: %s", b->out,
                         strerror(errno));
    return ESP_OK;
}

static void out_path(const struct build *b, const char *name,
                     char path[PATH_LEN + 32])
{
    snprintf(path, PATH_LEN + 32, "%s/%s", b->out, name);
}

/* --- running -------------------------------------------------------------- */

static void child_run(const struct build *b, char *const words[], int fd)
{
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(127);
    close(fd);
    signal(SIGPIPE, SIG_DFL);
    setenv("IDF_PATH", b->idf, 1);
    setenv("LC_ALL", "C", 1); /* sentences that build_output.c knows */
    setenv("NINJA_STATUS", "", 1);
    execvp(words[0], words);
    printf("porta-build: cannot start %s: %s\n", words[0], strerror(errno));
    fflush(stdout);
    _exit(127);
}

/* Without -v: notes and warnings, not what is done. */
static bool is_shown(const struct build *b, const char *line)
{
    return b->o->verbose || term_verbose() || strstr(line, "note: ") == line ||
           strstr(line, " warning: ") || strstr(line, " error: ") ||
           strstr(line, "porta-build: ");
}

static void listen(struct build *b, FILE *from)
{
    char line[4096];
    while (fgets(line, sizeof(line), from)) {
        line[strcspn(line, "\n")] = '\0';
        build_output_line(&b->said, line);
        if (is_shown(b, line))
            fprintf(stderr, "%s\n", line);
    }
}

static int not_run(struct build *b)
{
    b->why = errno;
    return -1;
}

/* Until it ends. What it says goes to nobody when from is NULL. */
static int await(struct build *b, pid_t pid, FILE *from)
{
    int status;
    if (from) {
        listen(b, from);
        fclose(from);
    }
    if (linux_waitpid(pid, &status, 0) != pid)
        return not_run(b);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The status of a command; -1: it died, or b->why says why it did not run. */
static int run(struct build *b, char *const words[])
{
    int fds[2];
    if (pipe(fds) != 0)
        return not_run(b);
    FILE *from = fdopen(fds[0], "r");
    int status = from ? 0 : not_run(b);
    fflush(NULL);
    pid_t pid = from ? fork() : -1;
    if (pid == 0) {
        close(fds[0]);
        child_run(b, words, fds[1]);
    }
    if (from && pid < 0)
        status = not_run(b);
    close(fds[1]);
    if (pid > 0)
        return await(b, pid, from);
    if (from)
        fclose(from);
    else
        close(fds[0]);
    return status;
}

/* Appends the first line of a file to the sentence; false: there is none. */
static bool append_line(struct build *b, const char *path, const char *before)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    struct diag ignored = DIAG_NONE;
    size_t at = strlen(b->sentence);
    if (access(path, R_OK) != 0 ||
        cli_read_file(path, 65536, &bytes, &ignored) || bytes.len == 0)
        return false;
    bytes.ptr[strcspn((char *)bytes.ptr, "\n")] = '\0';
    snprintf(b->sentence + at, SENTENCE_LEN - at, "%s%s", before,
             (char *)bytes.ptr);
    cli_bytes_free(&bytes);
    return true;
}

/* The sentence that a step left behind; false: there is none. */
static bool left_sentence(struct build *b)
{
    char path[PATH_LEN + 32];
    out_path(b, "porta-error.txt", path);
    return append_line(b, path, "");
}

static bool heard_sentence(struct build *b)
{
    char path[PATH_LEN + 32];
    if (!build_output_explain(&b->said, b->sentence, SENTENCE_LEN))
        return false;
    snprintf(path, sizeof(path), "%s/headers.txt", b->idf);
    if (b->said.header[0])
        (void)append_line(b, path, ". Offered are: ");
    return true;
}

static esp_err_t fail_step(struct build *b, const char *step, int status)
{
    if (b->why)
        return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL,
                         "%s could not be run: %s", step, strerror(b->why));
    if (left_sentence(b) || heard_sentence(b))
        return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL, "%s failed", step);
    return diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL,
                     "%s failed with status %d; porta build -v shows what it "
                     "said",
                     step, status);
}

/* --- the steps ------------------------------------------------------------ */

static esp_err_t configure(struct build *b)
{
    static char defines[CLI_LIST_MAX][PATH_LEN];
    static char arg_cmake[] = "cmake", arg_s[] = "-S", arg_b[] = "-B",
                arg_g[] = "-G", arg_ninja[] = "Ninja";
    char *words[WORDS_MAX] = { arg_cmake, arg_s, b->dir,   arg_b,
                               b->out,    arg_g, arg_ninja };
    int cnt = 7;
    for (int i = 0; i < b->o->defines.cnt; i++) {
        const char *text = b->o->defines.val[i];
        if (!strchr(text, '=') || strlen(text) >= PATH_LEN - 3)
            return fail_args(b, text, "is not NAME=VALUE, which -D wants");
        if (strncmp(text, "CONFIG_", 7) == 0)
            return fail_args(b, text,
                             "is an option of the project, which -D does not "
                             "set: write it into a file and name that, as in "
                             "-D 'SDKCONFIG_DEFAULTS=sdkconfig.defaults;FILE'");
        snprintf(defines[i], sizeof(defines[i]), "-D%.*s", PATH_LEN - 3, text);
        words[cnt++] = defines[i];
    }
    int status = run(b, words);
    return status ? fail_step(b, "cmake", status) : ESP_OK;
}

static esp_err_t compile(struct build *b)
{
    static char arg_cmake[] = "cmake", arg_build[] = "--build";
    char *words[] = { arg_cmake, arg_build, b->out, NULL };
    int status = run(b, words);
    return status ? fail_step(b, "the build", status) : ESP_OK;
}

static esp_err_t build_all(struct build *b, const char *dir)
{
    char path[PATH_LEN + 32];
    esp_err_t err = find_idf(b);
    if (!err)
        err = find_project(b, dir);
    if (err)
        return err;
    out_path(b, "porta-error.txt", path);
    (void)remove(path);
    err = configure(b);
    return err ? err : compile(b);
}

/* --- the result ----------------------------------------------------------- */

static const char *text_of(const cJSON *obj, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(obj, name));
    return text ? text : "";
}

/* project.json of the build folder, which the last step wrote. */
static cJSON *read_result(struct build *b)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    char path[PATH_LEN + 32];
    cJSON *obj = NULL;
    out_path(b, "project.json", path);
    if (cli_read_file(path, 65536, &bytes, &b->d) == ESP_OK) {
        obj = cJSON_Parse((char *)bytes.ptr);
        if (!obj)
            (void)diag_fail(&b->d, DIAG_STAGE_FILE, ESP_FAIL,
                            "%s is no JSON, or memory ran out", path);
    }
    cli_bytes_free(&bytes);
    return obj;
}

static int report(struct build *b)
{
    cJSON *obj = read_result(b);
    if (!obj)
        return cli_fail(&verb, &b->d, b->o->json);
    if (b->o->json)
        return cli_json_print(&verb, obj, CLI_DONE);
    printf("%s %s: %s\nrun it:   porta device %s%s%s\n",
           text_of(obj, "project"), text_of(obj, "version"),
           text_of(obj, "image"), text_of(obj, "flash"),
           text_of(obj, "device_options")[0] ? " " : "",
           text_of(obj, "device_options"));
    cJSON_Delete(obj);
    return cli_finish(&verb, CLI_DONE);
}

int cmd_build(int argc, char **argv)
{
    static struct build b;
    struct opts o = { 0 };
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &o, &args);
    if (status != CLI_GO)
        return status;
    b = (struct build){ .o = &o, .d = DIAG_NONE };
    if (build_all(&b, args.val[0]))
        return cli_fail_text(&verb, &b.d, b.sentence[0] ? b.sentence : b.d.text,
                             o.json);
    return report(&b);
}
