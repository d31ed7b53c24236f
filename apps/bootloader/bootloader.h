/* bootloader.h - the bootloader of a device on Linux.
 *
 * The board calls it in the child process of each boot, after
 * handover_export(). It uses the flash whose descriptor the page names, picks,
 * verifies and loads an image, writes the records that this asks for, and
 * becomes the application. */
#ifndef BOOTLOADER_H
#define BOOTLOADER_H

#include "handover.h"

/* Returns only when nothing was started; page->verdict and page->text then say
 * why. Before the exec it fills page->slot and sets HANDOVER_STARTED. */
void bootloader_main(struct handover *page);

#endif
