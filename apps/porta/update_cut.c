#include "update_cut.h"

#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "cli_term.h"

/* Not with printf(): a thread that waits for this flash operation may hold the
 * stream. */
static void last_words(unsigned nth)
{
    if (cli_json())
        dprintf(STDOUT_FILENO,
                "{\"result\":\"power_cut\",\"flash_operation\":%u}\n", nth);
    if (!term_quiet())
        dprintf(STDERR_FILENO,
                "porta update: power cut before flash operation %u\n", nth);
}

void update_cut_at(struct linux_flash *flash, uint32_t op)
{
    static struct linux_flash_meter meter;

    if (op == 0)
        return;
    atomic_store(&meter.cut_at, op);
    flash->meter = &meter;
    flash->last_words = last_words;
}
