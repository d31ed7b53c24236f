/* porta image - look at images. The other verbs have files of their own. */
#include "cli.h"

#include <string.h>

#include "cap_file.h"
#include "cmd_image.h"
#include "cmds.h"
#include "enc/head.h"
#include "image/sig_list.h"
#include "image/text.h"
#include "image_file.h"

struct look_opts {
    bool json;
};

static const struct cli_opt info_opts[] = {
    CLI_OPT_JSON(struct look_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb info_verb = {
    .name = "image info",
    .usage = "FILE",
    .summary = "show header, description, segments, checksum, hash, signatures",
    .text = "Damage is shown, not refused: porta image verify is the judge.\n"
            "Exit status 1: the segments could not be followed to their end.",
    .example = "porta image info app.bin\n"
               "porta image info app.bin --json",
    .opts = info_opts,
    .arg_min = 1,
    .arg_max = 1,
};

/* --- info ----------------------------------------------------------------- */

static void show_desc(const struct img_info *info, enum img_kind kind)
{
    if (kind == IMG_KIND_BOOTLOADER) {
        puts("kind            bootloader");
        if (info->boot_desc.present)
            printf("version         %u (secure version %u)\n"
                   "built with      %s, %s\n",
                   (unsigned)info->boot_desc.version,
                   info->boot_desc.secure_version, info->boot_desc.idf_ver,
                   info->boot_desc.date_time);
        return;
    }
    puts("kind            application");
    if (!info->desc.present) {
        puts("description     none");
        return;
    }
    printf("project         %s\n"
           "version         %s (secure version %u)\n",
           info->desc.project, info->desc.version,
           (unsigned)info->desc.secure_version);
    if (info->desc.idf_ver[0])
        printf("built with      %s\n", info->desc.idf_ver);
    if (info->desc.date[0])
        printf("built at        %s %s\n", info->desc.date, info->desc.time);
}

static void show_segments(const struct img_info *info)
{
    for (uint32_t i = 0; i < info->header.seg_cnt; i++)
        if (info->segs[i].off)
            printf("segment %-2u      0x%08x  %8u bytes  at 0x%x\n",
                   (unsigned)i, (unsigned)info->segs[i].load_addr,
                   (unsigned)info->segs[i].len, (unsigned)info->segs[i].off);
}

static void show_sums(const struct image_file *f)
{
    const struct img_info *info = &f->check.info;

    if (image_file_has_checksum(f))
        printf("checksum        0x%02x, %s\n", info->checksum,
               info->checksum_ok ? "right" : "WRONG");
    if (info->header.hash_appended == 0)
        puts("SHA-256         not appended");
    else if (image_file_has_hash(f))
        printf("SHA-256         appended, %s\n",
               info->hash_ok ? "right" : "WRONG");
    if (!image_file_has_checksum(f))
        return;
    printf("computed        ");
    for (size_t i = 0; i < SHA256_LEN; i++)
        printf("%02x", info->digest[i]);
    putchar('\n');
}

/* A block that holds its key is right or wrong by that key; that says nothing
 * about whom a device trusts. */
void image_show_signatures(const struct image_file *f)
{
    struct img_sig_found sigs[IMG_SIG_MAX];
    uint32_t cnt;

    if (f->check.info.image_len == 0)
        return;
    cnt = img_sig_list(span_of(f->bytes.ptr, f->bytes.len),
                       f->check.info.image_len, sigs);
    for (uint32_t i = 0; i < cnt; i++) {
        printf("signature       %s at 0x%x, ", sigs[i].scheme,
               (unsigned)sigs[i].off);
        if (!sigs[i].has_key) {
            puts("not verified: it holds no key that is known here");
            continue;
        }
        printf("%s by key ",
               sigs[i].right == VERDICT_ACCEPT ? "right" : "WRONG");
        for (size_t n = 0; n < SHA256_LEN; n++)
            printf("%02x", sigs[i].id[n]);
        putchar('\n');
    }
}

static void show(const struct image_file *f)
{
    const struct img_info *info = &f->check.info;
    const struct img_header *h = &info->header;
    char name[16], len[32];
    struct img_cap cap;

    printf("chip            %s (0x%04x)\n", img_chip_name(h->chip_id, name),
           h->chip_id);
    if (h->min_rev || (h->max_rev && h->max_rev != 0xFFFF))
        printf("revisions       %u to %u\n", h->min_rev, h->max_rev);
    show_desc(info, f->check.rules.kind);
    image_file_cap(f, &cap);
    cap_show(&cap);
    printf("entry           0x%08x\n", (unsigned)h->entry_addr);
    show_segments(info);
    show_sums(f);
    if (info->image_len)
        printf("image           %s bytes\n",
               cli_thousands(info->image_len, len, sizeof(len)));
    printf("file            %s bytes\n",
           cli_thousands(f->bytes.len, len, sizeof(len)));
    image_show_signatures(f);
}

/* The segments and sums are all there, and only what they say is wrong. */
static bool is_described(const struct image_file *f)
{
    switch (f->check.fault.kind) {
    case IMG_FAULT_NONE:
    case IMG_FAULT_CHECKSUM:
    case IMG_FAULT_HASH:
    case IMG_FAULT_TRAILING:
        return true;
    default:
        return false;
    }
}

static int info_print(const struct image_file *f, const struct diag *d,
                      bool json)
{
    int status = is_described(f) ? CLI_DONE : CLI_FAILED;
    cJSON *obj, *problem;

    if (d->err)
        fprintf(stderr, "porta image info: image: %s\n", d->text);
    if (!json) {
        show(f);
        return cli_finish(&info_verb, status);
    }
    obj = image_file_json(f);
    if (obj && d->err) {
        problem = cli_json_error(d);
        if (!problem || !cJSON_AddItemToObject(obj, "error", problem)) {
            cJSON_Delete(problem);
            cJSON_Delete(obj);
            obj = NULL;
        }
    }
    return cli_json_print(&info_verb, obj, status);
}

int image_info(int argc, char **argv)
{
    struct look_opts o = { 0 };
    struct image_file f = IMAGE_FILE_NONE;
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(&info_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (image_file_load(args.val[0], &f, &d) != ESP_OK)
        return cli_fail(&info_verb, &d, o.json);
    if (enc_is_encrypted(span_of(f.bytes.ptr, f.bytes.len))) {
        status = image_encrypted_info(
            &info_verb, args.val[0], span_of(f.bytes.ptr, f.bytes.len), o.json);
        image_file_free(&f);
        return status;
    }
    /* A refusal is in d and is shown with the rest. */
    (void)!image_file_check(&f, args.val[0], NULL, &d);
    if (f.check.info.header.magic == IMG_MAGIC)
        status = info_print(&f, &d, o.json);
    else
        status = cli_fail(&info_verb, &d, o.json);
    image_file_free(&f);
    return status;
}

/* --- all of them ---------------------------------------------------------- */

int cmd_image(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "create", "pack an image", image_create },
        { "info", "show what is in one", image_info },
        { "verify", "say what a device would say", image_verify },
        { "sign", "append a signature", image_sign },
        { "encrypt", "for devices that have a key", image_encrypt },
        { "decrypt", "as such a device does", image_decrypt },
    };

    return cli_dispatch("image", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
