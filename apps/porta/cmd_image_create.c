/* porta image create - pack an image. */
#include "cli.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "cap_file.h"
#include "cmd_image.h"
#include "elf_segments.h"
#include "image/build.h"
#include "image/text.h"
#include "image_file.h"

#define REV_NO_LIMIT 0xFFFFu
/* What the vendor's tools write unless told otherwise: DIO, 40 MHz, 4 MB. */
#define SPI_MODE_DIO 2u
#define FLASH_LEN_4MB (4u << 20)
#define SPI_SIZE_MAX 7u /* 1 MB << 7 */
#define SPI_SIZE_NONE UINT8_MAX

struct create_opts {
    const char *chip, *project, *version, *idf_ver;
    const char *elf, *out;
    struct cli_list segments;
    struct cap_args cap;
    uint32_t secure_version, entry_addr, min_rev, max_rev, flash_len;
    bool json;
};

static const struct cli_opt create_opts[] = {
    { "--chip", "C", "esp32, esp32c3, ..., linux (required)", CLI_KIND_TEXT,
      offsetof(struct create_opts, chip) },
    { "--project", "P", "project name, at most 31 bytes (required)",
      CLI_KIND_TEXT, offsetof(struct create_opts, project) },
    { "--version", "V", "version, at most 31 bytes (required)", CLI_KIND_TEXT,
      offsetof(struct create_opts, version) },
    { "--secure-version", "N", "for anti-rollback (0)", CLI_KIND_NUM,
      offsetof(struct create_opts, secure_version) },
    { "--elf", "FILE", "the program", CLI_KIND_TEXT,
      offsetof(struct create_opts, elf) },
    { "--segment", "ADDR:FILE", "or its segments, one by one", CLI_KIND_LIST,
      offsetof(struct create_opts, segments) },
    { "--entry", "ADDR", "where --segment programs start (0)", CLI_KIND_NUM,
      offsetof(struct create_opts, entry_addr) },
    { "--idf-ver", "V", "version of ESP-IDF to name (none)", CLI_KIND_TEXT,
      offsetof(struct create_opts, idf_ver) },
    { "--min-rev", "N", "oldest chip revision, 301 is v3.1 (0)", CLI_KIND_NUM,
      offsetof(struct create_opts, min_rev) },
    { "--max-rev", "N", "newest chip revision (no limit)", CLI_KIND_NUM,
      offsetof(struct create_opts, max_rev) },
    { "--flash-size", "N", "flash that it is made for: 1MB to 128MB (4MB)",
      CLI_KIND_SIZE, offsetof(struct create_opts, flash_len) },
    CAP_OPTS(struct create_opts, cap),
    { "-o", "OUT", "the image to write (required)", CLI_KIND_TEXT,
      offsetof(struct create_opts, out) },
    CLI_OPT_JSON(struct create_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb create_verb = {
    .name = "image create",
    .usage = "",
    .summary = "pack a program into a firmware image",
    .text =
        "On linux the whole ELF file is carried. On a chip its loadable "
        "segments are, and\nthose that are mapped from flash are laid out for "
        "the MMU page. A segment that\nstarts with an application description "
        "comes first and gets the new fields;\nwithout one the description "
        "becomes a segment that is not loaded.\n\n"
        "--ota-client writes a capability record behind the description: what "
        "the\nprogram can do for the next update. Devices refuse one that "
        "would leave them\nwithout updates (docs/preflight.md).",
    .example = "porta image create --chip linux --project demo --version 1.0 "
               "--elf demo -o demo.bin\n"
               "porta image create --chip esp32 --project demo --version 1.0 "
               "--segment 0x3f400020:rodata.bin --segment 0x400d0020:text.bin "
               "-o demo.bin",
    .opts = create_opts,
    .arg_min = 0,
    .arg_max = 0,
};

/* Everything that a run holds. */
struct create {
    const struct create_opts *o;
    const struct img_chip *chip;
    struct cli_bytes files[IMG_MAX_SEGMENTS];
    int file_cnt;
    struct img_build_seg segs[IMG_MAX_SEGMENTS];
    struct img_build in;
    struct diag d;
};

/* --- the command line ----------------------------------------------------- */

static int check_text(const char *opt, const char *text)
{
    if (!text)
        return cli_usage(&create_verb, "%s is missing", opt);
    if (!text[0] || strlen(text) > 31)
        return cli_usage(&create_verb, "%s has %zu bytes and must have 1 to 31",
                         opt, strlen(text));
    return CLI_GO;
}

static int check_sources(const struct create_opts *o)
{
    if (!o->elf && o->segments.cnt == 0)
        return cli_usage(&create_verb, "--elf or --segment is missing");
    if (o->elf && o->segments.cnt > 0)
        return cli_usage(&create_verb, "--elf and --segment exclude each "
                                       "other");
    if (o->segments.cnt > (int)IMG_MAX_SEGMENTS)
        return cli_usage(&create_verb,
                         "%d times --segment, and an image has "
                         "at most %u",
                         o->segments.cnt, IMG_MAX_SEGMENTS);
    return CLI_GO;
}

/* The header's number for a flash: it has 1 MB << number. */
static uint8_t spi_size(uint32_t flash_len)
{
    for (uint8_t n = 0; n <= SPI_SIZE_MAX; n++)
        if (flash_len == 1u << (20 + n))
            return n;
    return SPI_SIZE_NONE;
}

static int check_opts(const struct create_opts *o)
{
    int status = check_text("--chip", o->chip);

    if (status == CLI_GO)
        status = check_text("--project", o->project);
    if (status == CLI_GO)
        status = check_text("--version", o->version);
    if (status == CLI_GO && o->idf_ver)
        status = check_text("--idf-ver", o->idf_ver);
    if (status == CLI_GO)
        status = check_sources(o);
    if (status != CLI_GO)
        return status;
    if (!cap_args_ok(&o->cap))
        return cli_usage(&create_verb,
                         "--for-table, --trusts, --need-keys and "
                         "--install-anyway go with --ota-client yes|no");
    if (!o->out)
        return cli_usage(&create_verb, "-o is missing: where to write to");
    if (o->min_rev > UINT16_MAX || o->max_rev > UINT16_MAX)
        return cli_usage(&create_verb, "--min-rev and --max-rev are major * "
                                       "100 + minor, at most 65535");
    if (spi_size(o->flash_len) == SPI_SIZE_NONE)
        return cli_usage(&create_verb,
                         "--flash-size %u: it is 1, 2, 4, 8, 16, 32, 64 or "
                         "128 MB",
                         (unsigned)o->flash_len);
    return CLI_GO;
}

static int find_chip(struct create *c)
{
    uint16_t id;

    if (!img_chip_by_name(c->o->chip, &id))
        return cli_usage(&create_verb, "--chip %s: no chip has this name",
                         c->o->chip);
    c->chip = img_chip_find(id);
    return CLI_GO;
}

/* --- input files ---------------------------------------------------------- */

static esp_err_t read_input(struct create *c, const char *path,
                            struct span *out)
{
    struct cli_bytes *b = &c->files[c->file_cnt];
    esp_err_t err = cli_read_file(path, IMAGE_FILE_MAX_LEN, b, &c->d);

    if (err)
        return err;
    c->file_cnt++;
    *out = span_of(b->ptr, b->len);
    return ESP_OK;
}

static esp_err_t add_segment(struct create *c, const char *arg)
{
    const char *colon = strchr(arg, ':');
    struct img_build_seg *seg = &c->segs[c->in.seg_cnt];

    if (!colon || num_parse_u32(span_of(arg, (size_t)(colon - arg)),
                                &seg->load_addr) != ESP_OK)
        return diag_fail(&c->d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--segment %s: it is ADDR:FILE, as 0x40080000:a.bin",
                         arg);
    c->in.seg_cnt++;
    return read_input(c, colon + 1, &seg->data);
}

static void hash_elf(struct create *c, struct span elf)
{
    struct sha256 sha;

    sha256_init(&sha);
    sha256_update(&sha, elf.ptr, elf.len);
    sha256_final(&sha, c->in.desc.elf_sha256);
}

/* On linux the board starts the file itself; a chip gets what it loads. */
static esp_err_t add_elf(struct create *c)
{
    struct elf_segments parts;
    struct span elf;
    esp_err_t err = read_input(c, c->o->elf, &elf);

    if (err)
        return err;
    hash_elf(c, elf);
    if (c->chip->id == IMG_CHIP_LINUX && !elf_is(elf))
        return diag_fail(&c->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                         "%s is not an ELF file; give the linked program",
                         c->o->elf);
    if (c->chip->id == IMG_CHIP_LINUX) {
        c->segs[0] = (struct img_build_seg){ 0, elf };
        c->in.seg_cnt = 1;
        return ESP_OK;
    }
    err = elf_segments_read(elf, c->chip, &parts, &c->d);
    if (err)
        return err;
    memcpy(c->segs, parts.segs, sizeof(c->segs));
    c->in.seg_cnt = parts.cnt;
    c->in.header.entry_addr = parts.entry_addr;
    return ESP_OK;
}

/* What the description of the program already says, and the command line does
 * not, is kept. */
static void keep_desc(struct create *c)
{
    for (uint32_t i = 0; i < c->in.seg_cnt; i++) {
        struct img_desc old;

        img_desc_parse(c->segs[i].data, &old);
        if (!old.present)
            continue;
        memcpy(old.elf_sha256, c->in.desc.elf_sha256, SHA256_LEN);
        c->in.desc = old;
        return;
    }
}

static void fill_desc(struct create *c)
{
    struct img_desc *desc = &c->in.desc;

    if (c->chip->page_log2_max)
        desc->mmu_page_log2 = IMG_PAGE_LOG2_DEFAULT;
    keep_desc(c);
    (void)snprintf(desc->project, sizeof(desc->project), "%s", c->o->project);
    (void)snprintf(desc->version, sizeof(desc->version), "%s", c->o->version);
    if (c->o->idf_ver)
        (void)snprintf(desc->idf_ver, sizeof(desc->idf_ver), "%s",
                       c->o->idf_ver);
    desc->secure_version = c->o->secure_version;
}

static esp_err_t gather(struct create *c)
{
    esp_err_t err = ESP_OK;

    assert(c->chip);
    c->in.kind = IMG_KIND_APP;
    c->in.segs = c->segs;
    c->in.header = (struct img_header){
        .spi_mode = SPI_MODE_DIO,
        .spi_size = spi_size(c->o->flash_len),
        .entry_addr = c->o->entry_addr,
        .chip_id = c->chip->id,
        .min_rev = (uint16_t)c->o->min_rev,
        .max_rev = (uint16_t)c->o->max_rev,
        .hash_appended = 1,
    };
    if (c->o->elf)
        err = add_elf(c);
    for (int i = 0; i < c->o->segments.cnt && !err; i++)
        err = add_segment(c, c->o->segments.val[i]);
    if (err)
        return err;
    fill_desc(c);
    return cap_fill(&c->o->cap, &c->in.cap, &c->d);
}

/* --- output --------------------------------------------------------------- */

struct out_ctx {
    struct cli_out out;
    struct diag *d;
};

static esp_err_t out_feed(void *ctx, const void *data, size_t len)
{
    struct out_ctx *o = ctx;

    return cli_out_write(&o->out, data, len, o->d);
}

static esp_err_t write_image(struct create *c, const struct img_layout *plan)
{
    struct out_ctx ctx = { CLI_OUT_CLOSED, &c->d };
    struct img_sink sink = { &ctx, out_feed };
    esp_err_t err = cli_out_open(&ctx.out, c->o->out, 0666, &c->d);

    if (!err)
        err = img_build_write(&c->in, plan, &sink);
    if (!err)
        err = cli_out_commit(&ctx.out, &c->d);
    cli_out_discard(&ctx.out);
    return err;
}

static int report(const struct create *c, const struct img_layout *plan)
{
    char project[33], version[33], len[32];
    cJSON *obj;

    if (!c->o->json) {
        fprintf(cli_is_stdout(c->o->out) ? stderr : stdout,
                "%s: %s %s for %s, %s bytes, %u segments\n", c->o->out,
                text_clean(span_str(c->o->project), project, sizeof(project)),
                text_clean(span_str(c->o->version), version, sizeof(version)),
                c->chip->name, cli_thousands(plan->image_len, len, sizeof(len)),
                (unsigned)plan->cnt);
        return cli_finish(&create_verb, CLI_DONE);
    }
    obj = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(obj, "output", c->o->out) ||
        !cJSON_AddNumberToObject(obj, "chip", c->chip->id) ||
        !cJSON_AddStringToObject(obj, "chip_name", c->chip->name) ||
        !cJSON_AddStringToObject(obj, "project", c->o->project) ||
        !cJSON_AddStringToObject(obj, "version", c->o->version) ||
        !cJSON_AddNumberToObject(obj, "image_len", plan->image_len)) {
        cJSON_Delete(obj);
        obj = NULL;
    }
    return cli_json_print(&create_verb, obj, CLI_DONE);
}

static int run(struct create *c)
{
    struct img_layout plan;
    esp_err_t err;
    int status = find_chip(c);

    if (status != CLI_GO)
        return status;
    err = gather(c);
    if (!err)
        err = img_build_plan(&c->in, &plan, &c->d);
    if (!err)
        err = write_image(c, &plan);
    return err ? cli_fail(&create_verb, &c->d, c->o->json) : report(c, &plan);
}

int image_create(int argc, char **argv)
{
    struct create_opts o = { .max_rev = REV_NO_LIMIT,
                             .flash_len = FLASH_LEN_4MB };
    struct create c = { .o = &o, .d = DIAG_NONE };
    struct cli_args args;
    int status = cli_parse(&create_verb, argc, argv, &o, &args);

    if (status == CLI_GO)
        status = check_opts(&o);
    if (status != CLI_GO)
        return status;
    status = run(&c);
    for (int i = 0; i < c.file_cnt; i++)
        cli_bytes_free(&c.files[i]);
    return status;
}
