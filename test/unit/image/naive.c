#include "naive.h"

#include <string.h>

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] + ((uint32_t)p[1] << 8) + ((uint32_t)p[2] << 16) +
           ((uint32_t)p[3] << 24);
}

static bool in_range(uint32_t a, uint32_t start, uint32_t end)
{
    return a >= start && a < end;
}

/* 1.3, a second time. */
static bool is_mapped(unsigned chip, uint32_t a)
{
    switch (chip) {
    case 0x00:
        return in_range(a, 0x400D0000, 0x40400000) ||
               in_range(a, 0x3F400000, 0x3F800000);
    case 0x02:
        return in_range(a, 0x40080000, 0x40B80000) ||
               in_range(a, 0x3F000000, 0x3F3F0000);
    case 0x05:
        return in_range(a, 0x42000000, 0x42800000) ||
               in_range(a, 0x3C000000, 0x3C800000);
    case 0x09:
        return in_range(a, 0x42000000, 0x44000000) ||
               in_range(a, 0x3C000000, 0x3E000000);
    case 0x0C:
        return in_range(a, 0x42000000, 0x42400000) ||
               in_range(a, 0x3C000000, 0x3C400000);
    case 0x0D:
    case 0x10:
    case 0x14:
    case 0x19:
    case 0x1C:
        return in_range(a, 0x42000000, 0x43000000);
    case 0x17:
        return in_range(a, 0x42000000, 0x44000000);
    case 0x12:
        return in_range(a, 0x40000000, 0x4C000000);
    case 0x20:
        return in_range(a, 0x40000000, 0x54000000);
    default:
        return false;
    }
}

/* 1.4: the page is in the description; 0: this chip has one size. */
static unsigned least_page(unsigned chip)
{
    switch (chip) {
    case 0x0C:
        return 14;
    case 0x0D:
    case 0x10:
    case 0x14:
    case 0x19:
    case 0x1C:
        return 13;
    case 0x20:
        return 16;
    default:
        return 0;
    }
}

static bool needs_desc(unsigned chip)
{
    return least_page(chip) || chip == 0xFFFF || chip == 0x7F01;
}

static uint32_t page_of(unsigned chip, unsigned log2)
{
    if (least_page(chip) && log2 >= least_page(chip) && log2 <= 16)
        return 1u << log2;
    return 0x10000;
}

static bool all_ff(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0xFF)
            return false;
    return true;
}

static bool tail_ok(const uint8_t *t, size_t len, size_t image_len)
{
    size_t gap = (4096 - image_len % 4096) % 4096;

    if (all_ff(t, len))
        return true;
    if (len >= 68 && u32(t) == 0 && all_ff(t + 68, len - 68))
        return true;
    return len >= gap + 4096 && all_ff(t, gap) && t[gap] == 0xE7 &&
           (t[gap + 1] == 2 || t[gap + 1] == 3) &&
           all_ff(t + gap + 4096, len - gap - 4096);
}

bool naive_accepts(const uint8_t *file, size_t len, enum img_kind kind,
                   enum img_place place)
{
    size_t at = 24, image_len;
    uint8_t sum = 0xEF, digest[SHA256_LEN];
    struct sha256 sha;
    unsigned chip;

    if (len < 24 || file[0] != 0xE9 || file[1] < 1 || file[1] > 16 ||
        file[23] > 1)
        return false;
    chip = file[12] + 256u * file[13];
    for (unsigned i = 0; i < file[1]; i++) {
        uint32_t addr, n, page = page_of(chip, 0);

        if (len - at < 8)
            return false;
        addr = u32(file + at);
        n = u32(file + at + 4);
        at += 8;
        if (n % 4 || n >= 0x1000000 || n > len - at)
            return false;
        if (kind == IMG_KIND_APP) {
            if (i == 0 && n < 256)
                return false;
            if (u32(file + 32) == 0xABCD5432)
                page = page_of(chip, file[32 + 180]);
            else if (needs_desc(chip))
                return false;
            if (is_mapped(chip, addr) && at % page != addr % page)
                return false;
        }
        for (uint32_t k = 0; k < n; k++)
            sum ^= file[at + k];
        at += n;
    }
    while (at % 16 != 15)
        at++;
    if (at >= len || file[at] != sum)
        return false;
    at++;
    image_len = at + (file[23] ? 32 : 0);
    if (image_len > len || image_len > 0x1000000)
        return false;
    sha256_init(&sha);
    sha256_update(&sha, file, at);
    sha256_final(&sha, digest);
    if (file[23] && memcmp(digest, file + at, 32) != 0)
        return false;
    return place == IMG_PLACE_SLOT ||
           tail_ok(file + image_len, len - image_len, image_len);
}
