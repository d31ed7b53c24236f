/* porta-bootloader - the bootloader as a program of its own.
 *
 * The board runs bootloader_main() in a child of itself; this is the same code
 * alone, so that tools can look at what the boot path consists of. It is
 * started like an application, with a board's hand-over page. */
#include <stdio.h>

#include "bootloader.h"

int main(void)
{
    struct handover *page;
    struct diag diag = DIAG_NONE;
    if (handover_attach(&page, &diag)) {
        fprintf(stderr, "porta-bootloader: %s\n", diag.text);
        return 2;
    }
    bootloader_main(page);
    return 1;
}
