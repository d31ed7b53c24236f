/* elf_symbols.h - which functions a linked program has. Pure. */
#ifndef ELF_SYMBOLS_H
#define ELF_SYMBOLS_H

#include "base/span.h"

/* Is a symbol of this name defined in the file's symbol table? false also for
 * what is no little-endian ELF file, or has been stripped. */
bool elf_defines(struct span elf, const char *name);

#endif
