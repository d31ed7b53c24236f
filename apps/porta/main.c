/* porta - the command line: picks the verb and leaves the rest to it. */
#include "cli_table.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"

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

static int show_version(void)
{
    static const struct cli_verb verb = { .name = "--version" };
    cJSON *obj;

    if (cli_json()) {
        obj = cJSON_CreateObject();
        if (!cJSON_AddStringToObject(obj, "version", PORTA_VERSION)) {
            cJSON_Delete(obj);
            obj = NULL;
        }
        return cli_json_print(&verb, obj, CLI_DONE);
    }
    puts("porta " PORTA_VERSION);
    return cli_finish(&verb, CLI_DONE);
}

static int show_list(void)
{
    static char help[] = "help", json[] = "--json";
    char *help_argv[] = { help, json, NULL };

    return cmd_help(cli_json() ? 2 : 1, help_argv);
}

int main(int argc, char **argv)
{
    if (!hold_standard_streams()) {
        fputs("porta: file: /dev/null cannot stand in for a standard stream "
              "that is closed\n",
              stderr);
        return CLI_FAILED;
    }
    /* A reader that goes away, and a file that may not grow (ulimit -f), are
     * errors of write(), not the end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        cli_help_main(stderr);
        return CLI_USAGE;
    }
    cli_begin(argc, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return show_list();
    if (strcmp(argv[1], "--version") == 0)
        return show_version();
    for (size_t i = 0; i < cli_verb_cnt; i++)
        if (strcmp(cli_verbs[i].name, argv[1]) == 0)
            return cli_verbs[i].run(argc - 1, argv + 1);
    return cli_no_such("", cli_verbs, cli_verb_cnt, argv[1]);
}
