/* porta device - the board around a flash file. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "board.h"
#include "cmds.h"
#include "device_ctx.h"
#include "emu.h"
#include "handover.h"
#include "image/text.h"
#include "vrt_map.h"
#include "vrt_page.h"

struct opts {
    struct device_args device;
    uint32_t boots;
    uint32_t max_time_ms;
    uint32_t power_cut;
    bool keep_elf;
    struct cli_list inputs;
    const char *board;
    const char *bootloader;
    const char *clock;
    struct cli_list qemu_args;
    bool no_network;
    const char *network;
    const char *server;
    bool json;
};

static const struct cli_opt options[] = {
    { "--boots", "N", "end when boot N ends, or once nothing can happen",
      CLI_KIND_NUM, offsetof(struct opts, boots) },
    { "--max-time", "S", "end after S seconds", CLI_KIND_SECONDS,
      offsetof(struct opts, max_time_ms) },
    { "--power-cut", "N", "the power goes before flash operation N",
      CLI_KIND_NUM, offsetof(struct opts, power_cut) },
    { "--keep-elf", NULL, "run applications from FLASH.run/, for debuggers",
      CLI_KIND_FLAG, offsetof(struct opts, keep_elf) },
    { "--input", "PIN=L", "level of a diagnostic input; may be repeated",
      CLI_KIND_LIST, offsetof(struct opts, inputs) },
    CLI_OPT_JSON(struct opts, json),
    DEVICE_OPTS_CHIP(struct opts, device),
    DEVICE_OPTS_BOOT(struct opts, device),
    { "--board", "NAME", "an emulated board: " EMU_BOARD, CLI_KIND_TEXT,
      offsetof(struct opts, board) },
    { "--bootloader", "FILE", "with --board: instead of the one it has",
      CLI_KIND_TEXT, offsetof(struct opts, bootloader) },
    { "--clock", "TIME", "with --board: its clock, 2031-02-03T04:05:06",
      CLI_KIND_TEXT, offsetof(struct opts, clock) },
    { "--no-network", NULL, "with --board: without a network card",
      CLI_KIND_FLAG, offsetof(struct opts, no_network) },
    { "--network", "own|user|auto",
      "with --board: a network namespace of its own, or this machine's",
      CLI_KIND_TEXT, offsetof(struct opts, network) },
    { "--server", "COMMAND", "with --board: runs beside it, on its network",
      CLI_KIND_TEXT, offsetof(struct opts, server) },
    { "--qemu-arg", "ARG", "with --board: one more argument of the emulator",
      CLI_KIND_LIST, offsetof(struct opts, qemu_args) },
    CLI_OPT_END
};

static const struct cli_verb verb = {
    .name = "device",
    .usage = "FLASH",
    .summary = "the board: boots what is in the flash until it powers off",
    .text =
        "Runs the bootloader and the application it picks, again after every "
        "reset.\nThe application's console is standard output; lines of the "
        "board itself go to\nstandard error. SIGINT and SIGTERM switch the "
        "device off.\n\n"
        "A flash operation is one program or one erase, as --power-cut counts "
        "them,\nthose of the bootloader included.\n\n"
        "--boots N waits for the end of boot N: a reset, an exit, or its last "
        "task's end.\nA program that keeps running is ended by --max-time.\n\n"
        "--input PIN=0, PIN=1 or PIN=@FILE, whose first character is the "
        "level and may\nchange meanwhile, sets a diagnostic input; one with "
        "PIN=signal is low until this\nprocess gets SIGUSR1, and low again "
        "after SIGUSR2. So does the environment variable\nPORTA_INPUT_<pin>. "
        "PORTA_WIFI=name:password is "
        "the network in the air, PORTA_MAC\nthe device's hardware address. "
        "PORTA_HMAC_KEY_<n> names a "
        "file of 32 bytes: the key in the device's "
        "fuses that it derives its own for encrypted\nimages of.\n\n"
        "Ends with 0 after --boots or --max-time, after a power cut and when "
        "switched\noff; with the application's status when it exits by "
        "itself; with 1 when\nnothing boots.\n\n"
        "With --board the flash is that of a bare-metal board in QEMU "
        "(docs/board.md),\nwhose console stays in FLASH.run/console.log. The "
        "host is 10.0.2.2 there.\n--server runs a shell's command for as long, "
        "with what it starts, a daemon\nincluded, and its words in "
        "FLASH.run/server.log: in a network namespace that\nthe board and it "
        "have to themselves where this machine allows one, else on its\n"
        "network. There every name is the host's. --network own insists on it, "
        "user does\nwithout (so by default without --server).",
    .example = "porta device flash.bin --boots 2 --max-time 30",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static cJSON *boots_json(const struct board_report *report)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < report->boot_cnt && i < BOARD_BOOTS_KEPT; i++) {
        const struct board_boot *boot = &report->boots[i];
        cJSON *obj = cJSON_CreateObject();
        cJSON_AddStringToObject(obj, "reason",
                                board_reset_name(boot->reset_reason));
        if (boot->slot[0])
            cJSON_AddStringToObject(obj, "slot", boot->slot);
        else
            cJSON_AddNullToObject(obj, "slot");
        cJSON_AddItemToArray(list, obj);
    }
    return list;
}

static const char *last_slot(const struct board_report *report)
{
    uint32_t kept = report->boot_cnt < BOARD_BOOTS_KEPT ? report->boot_cnt
                                                        : BOARD_BOOTS_KEPT;
    return kept > 0 ? report->boots[kept - 1].slot : "";
}

static cJSON *report_json(const struct board_report *report,
                          const struct diag *diag)
{
    cJSON *obj = cJSON_CreateObject();
    if (!obj)
        return NULL;
    cJSON_AddNumberToObject(obj, "boots", report->boot_cnt);
    cJSON_AddItemToObject(obj, "resets", boots_json(report));
    if (last_slot(report)[0])
        cJSON_AddStringToObject(obj, "slot", last_slot(report));
    else
        cJSON_AddNullToObject(obj, "slot");
    cJSON_AddStringToObject(obj, "ended", board_end_name(report->end));
    if (report->end == BOARD_END_EXIT)
        cJSON_AddNumberToObject(obj, "exit_status", report->exit_status);
    cJSON_AddNumberToObject(obj, "flash_ops", report->flash_ops);
    if (report->network)
        cJSON_AddStringToObject(obj, "network", report->network);
    if (diag->err)
        cJSON_AddItemToObject(obj, "error", cli_json_error(diag));
    return obj;
}

static esp_err_t emu_chip_check(const struct device *dev, struct diag *diag)
{
    char name[16];
    if (dev->chip_id != IMG_CHIP_QEMU_VIRT_RV32)
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_SUPPORTED,
                         "this is a flash of chip %s and the board " EMU_BOARD
                         " runs images of chip qemu_virt_rv32",
                         img_chip_name(dev->chip_id, name));
    if (dev->flash.port.size_len == VRT_BANK_LEN)
        return ESP_OK;
    return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                     "the flash file has %u bytes and the board's flash has "
                     "%u: make one with `porta flash create --size 32MB`",
                     (unsigned)dev->flash.port.size_len, VRT_BANK_LEN);
}

/* What runs in the emulator reads its options from the flash. */
static esp_err_t emu_args_check(const struct opts *o, struct diag *diag)
{
    const struct device_args *args = &o->device;
    if (strcmp(o->board, EMU_BOARD) != 0)
        return diag_fail(
            diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
            "--board %s: there is no such board; there is " EMU_BOARD,
            o->board);
    if (args->rollback || args->require_signed || args->verify_keys.cnt > 0 ||
        args->signed_on_boot || args->table_off != PART_TABLE_OFF ||
        o->power_cut || o->keep_elf)
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "with --board the bootloader has only the options "
                         "that `porta flash create` wrote into the flash, "
                         "operations are not counted, and there is no ELF "
                         "file to keep");
    return ESP_OK;
}

static bool network_parse(const struct opts *o, enum emu_net_kind *out)
{
    *out = o->server ? EMU_NET_KIND_AUTO : EMU_NET_KIND_USER;
    if (o->no_network)
        *out = EMU_NET_KIND_NONE;
    if (!o->network)
        return true;
    for (int k = EMU_NET_KIND_AUTO; k <= EMU_NET_KIND_USER; k++) {
        *out = (enum emu_net_kind)k;
        if (strcmp(o->network, emu_net_name(*out)) == 0)
            return !o->no_network;
    }
    return false;
}

/* Which network; what the board is on is of no use to a device on Linux. */
static esp_err_t network_check(const struct opts *o, struct diag *diag)
{
    enum emu_net_kind kind;
    if (!o->board && (o->network || o->server))
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--network and --server are for a --board; a device "
                         "on Linux is on this machine's network");
    if (network_parse(o, &kind))
        return ESP_OK;
    return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--network %s%s: it is own, user or auto, or there is "
                     "none with --no-network",
                     o->network, o->no_network ? " --no-network" : "");
}

static esp_err_t emu_device_run(const struct opts *o, const char *path,
                                struct board_report *report, struct diag *diag)
{
    enum emu_net_kind network;
    (void)network_parse(o, &network); /* network_check() has seen it */
    const struct emu_opts emu = { .flash_path = path,
                                  .bootloader = o->bootloader,
                                  .args = &o->qemu_args,
                                  .inputs = &o->inputs,
                                  .clock = o->clock,
                                  .network = network,
                                  .server = o->server,
                                  .max_boots = o->boots,
                                  .max_time_ms = o->max_time_ms,
                                  .console_stderr = o->json };
    return emu_run(&emu, report, diag);
}

static esp_err_t chip_check(const struct device *dev, struct diag *diag)
{
    char name[16];
    if (dev->chip_id == HANDOVER_CHIP_LINUX)
        return ESP_OK;
    if (dev->chip_id == IMG_CHIP_QEMU_VIRT_RV32)
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_SUPPORTED,
                         "this is a flash of the emulated board: run it with "
                         "--board " EMU_BOARD);
    return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_SUPPORTED,
                     "this is a flash of chip %s, whose code does not run "
                     "here; `porta explain` says what would boot, and only "
                     "images for chip linux run",
                     img_chip_name(dev->chip_id, name));
}

static bool is_input(const char *value)
{
    return strcmp(value, "0") == 0 || strcmp(value, "1") == 0 ||
           strcmp(value, "signal") == 0 || (value[0] == '@' && value[1]);
}

/* Where the port looks for it. */
static esp_err_t input_set(const struct opts *o, const char *arg,
                           struct diag *diag)
{
    const char *eq = strchr(arg, '=');
    char name[48];
    uint32_t pin;

    if (!eq || num_parse_u32(span_of(arg, (size_t)(eq - arg)), &pin) ||
        !is_input(eq + 1))
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--input %s is not PIN=0, PIN=1, PIN=@FILE or "
                         "PIN=signal",
                         arg);
    if (o->board && pin >= VRT_PAGE_PINS)
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--input %s: this board has pins 0 to %u", arg,
                         VRT_PAGE_PINS - 1);
    snprintf(name, sizeof(name), "PORTA_INPUT_%u", (unsigned)pin);
    if (setenv(name, eq + 1, 1) != 0)
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_NO_MEM,
                         "out of memory");
    return ESP_OK;
}

static esp_err_t inputs_set(const struct opts *o, struct diag *diag)
{
    esp_err_t err = ESP_OK;
    for (int i = 0; !err && i < o->inputs.cnt; i++)
        err = input_set(o, o->inputs.val[i], diag);
    return err;
}

static esp_err_t board_device_run(const struct opts *o, struct device *dev,
                                  const char *path, struct board_report *report,
                                  struct diag *diag)
{
    const struct board_opts opts = { .flash = &dev->flash,
                                     .flash_path = path,
                                     .policy = dev->policy,
                                     .keys = dev->own_keys,
                                     .fuse_chip = dev->fuse.chip,
                                     .fuse_fd = dev->fuse.file.fd,
                                     .keys_final = dev->keys_given,
                                     .keep_elf = o->keep_elf,
                                     .table_off = o->device.table_off,
                                     .max_boots = o->boots,
                                     .max_time_ms = o->max_time_ms,
                                     .power_cut = o->power_cut,
                                     .console_stderr = o->json };
    return board_run(&opts, report, diag);
}

static esp_err_t device_run(const struct opts *o, const char *path,
                            struct board_report *report, struct diag *diag)
{
    struct device *dev = malloc(sizeof(*dev));
    if (!dev)
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_NO_MEM,
                         "out of memory");
    *dev = (struct device)DEVICE_CLOSED;
    esp_err_t err = inputs_set(o, diag);
    if (!err)
        err = network_check(o, diag);
    if (!err && o->board)
        err = emu_args_check(o, diag);
    struct device_args args = o->device;
    if (o->board) /* what the bootloader makes of its options is its affair */
        args.rollback = CLI_ON;
    if (!err)
        err = device_open(dev, path, LINUX_FLASH_WRITE, &args, diag);
    if (!err)
        err = o->board ? emu_chip_check(dev, diag) : chip_check(dev, diag);
    if (!err)
        err = o->board ? emu_device_run(o, path, report, diag)
                       : board_device_run(o, dev, path, report, diag);
    device_close(dev);
    free(dev);
    return err;
}

static int finish(const struct opts *o, const struct board_report *report,
                  const struct diag *diag)
{
    int status = CLI_DONE;
    if (diag->err)
        status = cli_fail(&verb, diag, false);
    else if (report->end == BOARD_END_EXIT)
        status = report->exit_status;
    if (o->json)
        return cli_json_print(&verb, report_json(report, diag), status);
    return status;
}

int cmd_device(int argc, char **argv)
{
    struct opts o = { .device = DEVICE_ARGS };
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &o, &args);
    if (status != CLI_GO)
        return status;
    o.device.burns = true;
    cli_log_to_stderr(LOG_WARN);
    struct diag diag = DIAG_NONE;
    static struct board_report report; /* 6 KiB, used once */
    report = (struct board_report){ .end = BOARD_END_FAILED };
    esp_err_t err = device_run(&o, args.val[0], &report, &diag);
    if (err && !diag.err)
        diag_fail(&diag, DIAG_STAGE_BOOT, err, "the board failed");
    return finish(&o, &report, &diag);
}
