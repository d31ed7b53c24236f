/* A bootloader without the parts that a board has to bring: it only counts
 * bytes (tools/boot_size.sh) and is never run. */
#include "boot/exec.h"

extern const struct port_flash board_flash;
extern const struct img_keys board_keys;
extern const struct port_fuse board_fuse;

const struct port_flash board_flash = { .size_len = 4u << 20 };
const struct port_fuse board_fuse = { .bit_cnt = 16 };
const struct img_keys board_keys = { .scheme = IMG_SCHEME_ECDSA256 };

static uint8_t buf[4096];
static struct part_table table;
static struct boot_result result;

static void start(void *ctx)
{
    void (*entry)(void) =
        (void (*)(void))(uintptr_t)result.check.info.header.entry_addr;

    (void)ctx;
    entry();
}

/* A field that the board reads itself, or one that is kept in flash. */
#if BOOT_SIZE_EMUL
static const struct port_fuse *fuses(void)
{
    static const struct fuse_field field = { 0x0005, 11, 8, 0, 142, 16 };
    static struct fuse_emul emul;

    static const struct fuse_place place = { .flash = &board_flash };

    (void)!boot_fuse_open(&emul, &table, &place, &field);
    return &emul.port;
}
#else
static const struct port_fuse *fuses(void)
{
    return &board_fuse;
}
#endif

void _start(void);
void _start(void)
{
    const struct boot_env env = { .flash = &board_flash,
                                  .fuse = fuses(),
                                  .table = &table,
                                  .rules = { .keys = &board_keys },
                                  .buf = buf,
                                  .buf_len = sizeof(buf) };

    if (board_flash.read(NULL, PART_TABLE_OFF, buf, PART_TABLE_MAX_LEN) ||
        part_table_parse(span_of(buf, PART_TABLE_MAX_LEN),
                         board_flash.size_len, &table))
        return;
    boot_run(&env, &result);
    boot_start(&env, &result, start, NULL);
}
