#include "demo_world.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux_retry.h"
#include "linux_time.h"
#include "temp_folder.h"

#define ARGS_MAX 24
#define TICK_MS 100
#define OFF_WAIT_MS 5000u

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

bool demo_interrupted(void)
{
    return interrupted;
}

/* --- the folder ----------------------------------------------------------- */

static bool has_images(const char *folder)
{
    char path[DEMO_PATH_LEN + 32];

    snprintf(path, sizeof(path), "%s/simple-1.bin", folder);
    return access(path, R_OK) == 0;
}

/* Beside the program: in a build tree, or installed. */
static esp_err_t find_images(struct demo *w, const char *images, struct diag *d)
{
    static const char *const places[] = { "../apps", "../share/porta/apps" };
    char copy[DEMO_PATH_LEN];
    const char *folder;

    if (images) {
        snprintf(w->images, sizeof(w->images), "%s", images);
        if (has_images(w->images))
            return ESP_OK;
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                         "--images %s: there is no simple-1.bin", images);
    }
    snprintf(copy, sizeof(copy), "%s", w->self);
    folder = dirname(copy);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (snprintf(w->images, sizeof(w->images), "%s/%s", folder, places[i]) <
                (int)sizeof(w->images) &&
            has_images(w->images))
            return ESP_OK;
    }
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                     "the example applications are not beside %s; build them "
                     "with make, or name their folder with --images",
                     w->self);
}

static esp_err_t make_folder(struct demo *w, struct diag *d)
{
    esp_err_t err =
        temp_folder_make(w->folder, sizeof(w->folder), "porta-demo", d);

    if (err)
        return err;
    snprintf(w->flash, sizeof(w->flash), "%s/device.bin", w->folder);
    snprintf(w->www, sizeof(w->www), "%s/www", w->folder);
    if (mkdir(w->www, 0755) == 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "cannot make %s: %s", w->www,
                     strerror(errno));
}

static void catch_signals(void)
{
    struct sigaction sa = { .sa_handler = on_signal };

    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
}

esp_err_t demo_open(struct demo *w, const char *images, struct diag *d)
{
    ssize_t len = readlink("/proc/self/exe", w->self, sizeof(w->self) - 1);
    esp_err_t err;

    w->console_fd = -1;
    if (len < 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                         "cannot find this program in /proc: %s",
                         strerror(errno));
    w->self[len] = '\0';
    err = find_images(w, images, d);
    if (err)
        return err;
    catch_signals();
    return make_folder(w, d);
}

static void server_stop(struct demo_server *s)
{
    serve_stop(s->serve);
    s->serve = NULL;
    serve_cert_free(&s->cert);
}

void demo_close(struct demo *w)
{
    struct diag ignored = DIAG_NONE;

    (void)!demo_power_off(w, &ignored);
    server_stop(&w->server);
    server_stop(&w->stranger);
    if (!w->keep)
        temp_folder_remove(w->folder);
    w->folder[0] = '\0';
}

esp_err_t demo_write(struct demo *w, const char *name, struct span data,
                     struct diag *d)
{
    char path[DEMO_PATH_LEN];

    snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    return cli_write_file(path, data, 0644, d);
}

/* --- processes ------------------------------------------------------------ */

/* In the child, between fork and exec: only calls that are safe there. */
static void become_porta(const struct demo *w, char *const *argv, int out_fd)
{
    int null_fd = linux_open("/dev/null", O_RDONLY, 0);

    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || null_fd < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 ||
        dup2(out_fd, STDERR_FILENO) < 0)
        _exit(126);
    execv(w->self, argv);
    _exit(127);
}

/* Starts `porta ARGS...`; its output goes into *out_fd. */
static esp_err_t start(struct demo *w, const char *const *args, pid_t *pid,
                       int *out_fd, struct diag *d)
{
    char name[] = "porta";
    char *argv[ARGS_MAX + 2] = { name };
    int fds[2];

    for (int i = 0; i < ARGS_MAX && args[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "no pipe: %s",
                         strerror(errno));
    *pid = fork();
    if (*pid == 0)
        become_porta(w, argv, fds[1]);
    close(fds[1]);
    *out_fd = fds[0];
    if (*pid > 0)
        return ESP_OK;
    close(fds[0]);
    *pid = 0;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "no process: %s",
                     strerror(errno));
}

/* Appends what the pipe has. False: its end. */
static bool take(struct demo *w, int fd)
{
    char scrap[4096];
    size_t room = sizeof(w->console) - 1 - w->console_len;
    ssize_t got = room ? read(fd, w->console + w->console_len, room)
                       : read(fd, scrap, sizeof(scrap));

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (room)
        w->console_len += (size_t)got;
    w->console[w->console_len] = '\0';
    return got > 0;
}

static void console_clear(struct demo *w)
{
    w->console_len = 0;
    w->console[0] = '\0';
}

/* Waits for the end of a process. -1: it did not come in time. */
static int wait_end(pid_t pid, uint32_t wait_ms)
{
    uint64_t end_ms = linux_mono_ms() + wait_ms;
    int status;

    for (;;) {
        pid_t done = waitpid(pid, &status, WNOHANG);

        if (done == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        if (done < 0 && errno != EINTR)
            return 128;
        if (linux_mono_ms() >= end_ms)
            return -1;
        (void)poll(NULL, 0, 5);
    }
}

esp_err_t demo_porta(struct demo *w, const char *const *args, struct diag *d)
{
    pid_t pid;
    int fd, status;
    esp_err_t err;

    console_clear(w);
    err = start(w, args, &pid, &fd, d);
    if (err)
        return err;
    /* start() has opened it, as diag_fail() never returns ESP_OK:
     * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
    while (take(w, fd))
        ;
    close(fd);
    status = wait_end(pid, OFF_WAIT_MS);
    if (status == 0)
        return ESP_OK;
    w->console[strcspn(w->console, "\n")] = '\0';
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_FAIL, "porta %s %s: exit %d: %s",
                     args[0], args[1] ? args[1] : "", status, w->console);
}

/* --- servers -------------------------------------------------------------- */

esp_err_t demo_serve(struct demo *w, struct demo_server *s, const char *name,
                     uint32_t rate, struct diag *d)
{
    static struct serve_names names;
    char folder[DEMO_PATH_LEN];
    esp_err_t err;

    serve_names_default(&names);
    snprintf(folder, sizeof(folder), "%s/%s", w->folder, name);
    err = serve_cert_ready(folder, &names, &s->cert, d);
    if (err)
        return err;
    s->conf = (struct serve_conf){ .folder = w->www,
                                   .bind_addr = "127.0.0.1",
                                   .tls.cert = (const char *)s->cert.cert.ptr,
                                   .tls.key = (const char *)s->cert.key.ptr,
                                   .rate = rate,
                                   .quiet = true };
    return serve_start(&s->serve, &s->conf, d);
}

/* --- the board ------------------------------------------------------------ */

esp_err_t demo_power_on(struct demo *w, struct diag *d)
{
    const char *args[] = { "device", w->flash, NULL };
    esp_err_t err;

    console_clear(w);
    err = start(w, args, &w->board, &w->console_fd, d);
    if (!err)
        (void)fcntl(w->console_fd, F_SETFL, O_NONBLOCK);
    return err;
}

esp_err_t demo_power_off(struct demo *w, struct diag *d)
{
    int status;

    if (w->board <= 0)
        return ESP_OK;
    kill(w->board, SIGTERM);
    status = wait_end(w->board, OFF_WAIT_MS);
    if (status < 0) {
        kill(w->board, SIGKILL);
        (void)wait_end(w->board, OFF_WAIT_MS);
    }
    w->board = 0;
    while (w->console_len < sizeof(w->console) - 1 && take(w, w->console_fd))
        if (errno == EAGAIN)
            break;
    close(w->console_fd);
    w->console_fd = -1;
    if (status == 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL,
                     "the board did not switch off in order (%d)", status);
}

/* The last error in the console, which is why nothing more came; else its last
 * line. */
static void telling_line(const struct demo *w, char *out, size_t len)
{
    const char *at = w->console + w->console_len;

    while (at > w->console && at[-1] == '\n')
        at--;
    while (at > w->console && at[-1] != '\n')
        at--;
    for (const char *e = strstr(w->console, "\nE ("); e;
         e = strstr(e + 1, "\nE ("))
        at = e + 1;
    snprintf(out, len, "%.*s", (int)strcspn(at, "\n"), at);
}

esp_err_t demo_expect(struct demo *w, const char *text, struct diag *d)
{
    uint64_t end_ms = linux_mono_ms() + w->wait_ms;
    struct pollfd pfd = { w->console_fd, POLLIN, 0 };
    char line[240];
    bool open = true;

    while (!strstr(w->console, text)) {
        if (interrupted)
            return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL, "interrupted");
        if (!open || linux_mono_ms() >= end_ms) {
            telling_line(w, line, sizeof(line));
            return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_TIMEOUT,
                             "%s, its console never said \"%s\"; it said: "
                             "%s",
                             open ? "the device did nothing"
                                  : "the device went off",
                             text, line);
        }
        if (poll(&pfd, 1, TICK_MS) > 0)
            open = take(w, w->console_fd);
        if (w->tick)
            w->tick(w->tick_ctx);
    }
    return ESP_OK;
}
