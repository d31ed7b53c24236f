/* Offsets: the ELF specification, 32 and 64 bits. Every number of the file is
 * checked before it is used; what leaves the file does not count. */
#include "elf_symbols.h"

#include "base/le.h"

#define SHT_SYMTAB 2u

struct layout {
    uint32_t shoff, shentsize, shnum;  /* in the file header */
    uint32_t type, offset, size, link; /* in a section header */
    uint32_t sh_len, sym_len, sym_shndx;
    bool wide; /* offsets have 8 bytes */
};

static const struct layout narrow = { 32, 46, 48, 4,  16,   20,
                                      24, 40, 16, 14, false };
static const struct layout wide = {
    40, 58, 60, 4, 24, 32, 40, 64, 24, 6, true
};

static uint64_t number(const struct layout *l, const uint8_t *p)
{
    return l->wide ? (uint64_t)le32_get(p + 4) << 32 | le32_get(p)
                   : le32_get(p);
}

/* The part of the file; empty where it is not all there. */
static struct span part(struct span elf, uint64_t off, uint64_t len)
{
    if (off > elf.len || len > elf.len - off)
        return span_of(NULL, 0);
    return span_of(elf.ptr + off, (size_t)len);
}

static const struct layout *layout_of(struct span elf)
{
    static const uint8_t magic[4] = { 0x7F, 'E', 'L', 'F' };

    if (elf.len < 64 || memcmp(elf.ptr, magic, 4) != 0 || elf.ptr[5] != 1)
        return NULL;
    return elf.ptr[4] == 1 ? &narrow : elf.ptr[4] == 2 ? &wide : NULL;
}

static struct span header(const struct layout *l, struct span elf, uint32_t i)
{
    uint64_t off = number(l, elf.ptr + l->shoff);

    if (le16_get(elf.ptr + l->shentsize) != l->sh_len || off > elf.len)
        return span_of(NULL, 0);
    return part(elf, off + (uint64_t)i * l->sh_len, l->sh_len);
}

static struct span body(const struct layout *l, struct span elf,
                        struct span head)
{
    if (head.len == 0)
        return head;
    return part(elf, number(l, head.ptr + l->offset),
                number(l, head.ptr + l->size));
}

static bool has(const struct layout *l, struct span symbols,
                struct span strings, const char *name)
{
    size_t len = strlen(name) + 1;

    for (; symbols.len >= l->sym_len;
         symbols = span_from(symbols, l->sym_len)) {
        struct span at = span_from(strings, le32_get(symbols.ptr));

        if (le16_get(symbols.ptr + l->sym_shndx) != 0 && at.len >= len &&
            memcmp(at.ptr, name, len) == 0)
            return true;
    }
    return false;
}

bool elf_defines(struct span elf, const char *name)
{
    const struct layout *l = layout_of(elf);
    uint32_t cnt = l ? le16_get(elf.ptr + l->shnum) : 0;

    for (uint32_t i = 0; i < cnt; i++) {
        struct span head = header(l, elf, i);

        if (head.len == 0 || le32_get(head.ptr + l->type) != SHT_SYMTAB)
            continue;
        if (has(l, body(l, elf, head),
                body(l, elf, header(l, elf, le32_get(head.ptr + l->link))),
                name))
            return true;
    }
    return false;
}
