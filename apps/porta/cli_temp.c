#include "cli_temp.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define TEMP_CNT 4

/* The signal handler's way to them. */
static _Atomic(const char *) temps[TEMP_CNT];

/* unlink() and raise() may be called here; the signal comes once more when
 * this returns, and finds what it found without us. */
static void on_signal(int sig)
{
    for (size_t i = 0; i < TEMP_CNT; i++) {
        const char *path = atomic_load(&temps[i]);
        if (path)
            (void)unlink(path);
    }
    (void)raise(sig);
}

static void catch_signals(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction sa = { .sa_handler = on_signal,
                            .sa_flags = (int)SA_RESETHAND },
                     before;

    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (sigaction(ends[i], NULL, &before) == 0 &&
            before.sa_handler == SIG_DFL)
            (void)sigaction(ends[i], &sa, NULL);
}

void cli_temp_add(const char *path)
{
    for (size_t i = 0; i < TEMP_CNT; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&temps[i], &none, path))
            break;
    }
    catch_signals();
}

void cli_temp_drop(const char *path)
{
    for (size_t i = 0; i < TEMP_CNT; i++) {
        const char *it = path;
        (void)atomic_compare_exchange_strong(&temps[i], &it, NULL);
    }
}
