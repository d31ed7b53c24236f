/* porta - the command line: picks the verb and leaves the rest to it. */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"

static const struct cli_sub verbs[] = {
    { "image", "firmware images: create, info, verify, sign", cmd_image },
    { "key", "keys that sign images, and whom a device trusts", cmd_key },
    { "table", "partition tables: build, show", cmd_table },
    { "flash", "a device's flash file: create, show, read, write, erase",
      cmd_flash },
    { "explain", "what boots at the next reset, and why", cmd_explain },
    { "update", "one OTA session: download, check, write, make bootable",
      cmd_update },
    { "confirm", "confirm the running image", cmd_confirm },
    { "rollback", "give the running image up", cmd_rollback },
    { "deny", "releases that failed on a device: list, add, clear", cmd_deny },
    { "reset", "one pass of the bootloader", cmd_reset },
    { "device", "the board: boots the flash file and keeps it running",
      cmd_device },
    { "bundle", "CA certificates in little room: build, show", cmd_bundle },
    { "serve", "development HTTPS server for a folder", cmd_serve },
    { "build", "an ESP-IDF project directory, unchanged, for Linux",
      cmd_build },
    { "torture", "cuts the power in every flash operation, on a copy",
      cmd_torture },
    { "demo", "the guided tour", cmd_demo },
    { "help", "this list, or one page about a verb", cmd_help },
};

static const struct cli_sub *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static void list_verbs(FILE *to)
{
    fputs("porta: firmware updates over HTTPS, as ESP-IDF does them, on any "
          "machine\n\nusage: porta VERB [OPTIONS] [ARGS]\n\n",
          to);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nporta help VERB shows one page with an example.\n"
          "exit status: 0 done, 1 failed or the answer is no, 2 the command "
          "line is wrong,\n             3 nothing to do\n",
          to);
}

static int no_such_verb(const char *name)
{
    static const char *const later[] = { "test", "doctor" };

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        if (strcmp(later[i], name) != 0)
            continue;
        fprintf(stderr, "porta: args: %s is not in this version of porta\n",
                name);
        return CLI_USAGE;
    }
    fprintf(stderr, "porta: args: there is no verb '%s'; see: porta help\n",
            name);
    return CLI_USAGE;
}

/* A page that nobody got is no answer. */
static int shown(void)
{
    static const struct cli_verb help = { .name = "help" };

    return cli_finish(&help, CLI_DONE);
}

/* "porta help flash create" is "porta flash create --help". */
int cmd_help(int argc, char **argv)
{
    char help[] = "--help";
    char *args[4];
    const struct cli_sub *verb;
    int cnt = 0;

    if (argc < 2 || argv[1][0] == '-') {
        list_verbs(stdout);
        return shown();
    }
    verb = verb_find(argv[1]);
    if (!verb)
        return no_such_verb(argv[1]);
    if (verb->run == cmd_help) {
        list_verbs(stdout);
        return shown();
    }
    for (int i = 1; i < argc && cnt < 2; i++)
        args[cnt++] = argv[i];
    args[cnt++] = help;
    args[cnt] = NULL;
    return verb->run(cnt, args);
}

/* The next file that is opened takes the lowest free number. If that were the
 * number of standard output, a report would be written into a flash file. What
 * stands there instead is opened for the other direction: its use fails as
 * that of a closed one does. */
static bool hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    const struct cli_sub *verb;

    if (!hold_standard_streams())
        return CLI_FAILED;
    /* A reader that goes away is an error of write(), not the end. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        list_verbs(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        list_verbs(stdout);
        return shown();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("porta " PORTA_VERSION);
        return shown();
    }
    verb = verb_find(argv[1]);
    return verb ? verb->run(argc - 1, argv + 1) : no_such_verb(argv[1]);
}
