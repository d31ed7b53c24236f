#include "image/text.h"

#include <stdio.h>

#include "image/chip.h"

static int chip_fault(const struct img_fault *f, char *out, size_t out_len)
{
    char got[16], want[16];

    return snprintf(out, out_len,
                    "the image is for %s and this device is %s; get the image "
                    "that was built for %s",
                    img_chip_name((uint16_t)f->got, got),
                    img_chip_name((uint16_t)f->want, want),
                    img_chip_name((uint16_t)f->want, want));
}

static int rev_fault(const struct img_fault *f, char *out, size_t out_len)
{
    bool low = f->kind == IMG_FAULT_REV_LOW;

    return snprintf(out, out_len,
                    "the image needs chip revision %s v%u.%u and this device "
                    "is v%u.%u; build it for this revision",
                    low ? "at least" : "at most", (unsigned)f->want / 100,
                    (unsigned)f->want % 100, (unsigned)f->got / 100,
                    (unsigned)f->got % 100);
}

/* The first byte often tells what the file is instead. */
static int magic_fault(const struct img_fault *f, char *out, size_t out_len)
{
    const char *hint = "check that this is the .bin file of an application";

    if (f->got == 0xFF)
        hint = "the place is erased: write an image first";
    else if (f->got == 0x7F)
        hint = "an ELF file must be packed first: porta image create";
    else if (f->got == '<' || f->got == '{')
        hint = "this looks like a web page or JSON: check the URL";
    return snprintf(out, out_len,
                    "not a firmware image: the first byte is 0x%02x, not "
                    "0x%02x; %s",
                    (unsigned)f->got, (unsigned)f->want, hint);
}

static int seg_fault(const struct img_fault *f, char *out, size_t out_len)
{
    unsigned seg = (unsigned)f->seg, got = (unsigned)f->got,
             want = (unsigned)f->want;

    switch (f->kind) {
    case IMG_FAULT_SEG_CNT:
        return snprintf(out, out_len,
                        "the header counts %u segments and 1 to %u are "
                        "allowed; the file is damaged, fetch it again",
                        got, want);
    case IMG_FAULT_SEG_LEN:
        return snprintf(out, out_len,
                        "segment %u claims %u bytes, which is not a multiple "
                        "of 4 below %u; the file is damaged, fetch it again",
                        seg, got, want);
    case IMG_FAULT_SEG_SHORT:
        return snprintf(out, out_len,
                        "segment %u has %u bytes and cannot hold the "
                        "application description of %u; this may be a "
                        "bootloader, give an application image",
                        seg, got, want);
    default:
        return snprintf(out, out_len,
                        "segment %u lies at 0x%x in its flash page and must "
                        "lie at 0x%x to be mapped; pack the image again",
                        seg, got, want);
    }
}

static int size_fault(const struct img_fault *f, char *out, size_t out_len)
{
    unsigned got = (unsigned)f->got, want = (unsigned)f->want;

    if (f->kind == IMG_FAULT_TOO_LARGE)
        return snprintf(out, out_len,
                        "the image needs at least %u bytes and there is room "
                        "for %u; make it smaller or the partition larger",
                        got, want);
    if (f->kind == IMG_FAULT_TRAILING)
        return snprintf(out, out_len,
                        "%u unexplained bytes follow the end of the image, "
                        "neither padding nor a signature; the file is damaged "
                        "or not only an image, fetch it again",
                        got);
    if (want == 0)
        return snprintf(out, out_len,
                        "the image ends after %u bytes, inside its header; "
                        "fetch it again",
                        got);
    return snprintf(out, out_len,
                    "the image is cut short: %u bytes are there and at least "
                    "%u are needed; fetch it again",
                    got, want);
}

static int sum_fault(const struct img_fault *f, char *out, size_t out_len)
{
    unsigned got = (unsigned)f->got, want = (unsigned)f->want;

    switch (f->kind) {
    case IMG_FAULT_CHECKSUM:
        return snprintf(out, out_len,
                        "the checksum of the segments is 0x%02x and the image "
                        "says 0x%02x; the image is damaged, fetch it again",
                        got, want);
    case IMG_FAULT_HASH:
        return snprintf(out, out_len,
                        "the SHA-256 of the image is not the appended one; "
                        "the image is damaged, fetch it again");
    case IMG_FAULT_HASH_FLAG:
        return snprintf(out, out_len,
                        "the header's hash_appended is %u, neither 0 nor 1; "
                        "the file is damaged, fetch it again",
                        got);
    default:
        return snprintf(out, out_len,
                        "the image has no appended SHA-256 and this device "
                        "requires one; pack the image with its hash");
    }
}

/* Half a sentence for each reason, then what to do. */
static int sig_fault(const struct img_fault *f, char *out, size_t out_len)
{
    static const char *const texts[] = {
        [IMG_SIG_NO_KEYS] = "this device takes signed images only and has no "
                            "valid set of keys; give it keys to trust",
        [IMG_SIG_ABSENT] = "the image is not signed and this device takes "
                           "signed images only; sign it",
        [IMG_SIG_REST] = "something follows the signature blocks in their "
                         "sector; sign the image again",
        [IMG_SIG_SCHEME] = "the image is signed with a scheme that this "
                           "device does not use; sign it with the device's",
        [IMG_SIG_KEY] = "no key that this device trusts has signed the image; "
                        "sign it with one of them",
        [IMG_SIG_REVOKED] = "the image is signed with a revoked key; sign it "
                            "with one that is still trusted",
    };
    static const char *const blocks[] = {
        [IMG_SIG_BLOCK] = "is damaged; fetch the image again",
        [IMG_SIG_ORDER] = "follows an empty one; sign the image again",
        [IMG_SIG_DIGEST] = "was made for another image; fetch or sign the "
                           "image again",
        [IMG_SIG_BAD] = "was not made by the trusted key; the image or its "
                        "signature is forged or damaged",
    };
    unsigned got = (unsigned)f->got, want = (unsigned)f->want;

    if (f->seg == IMG_SIG_SHORT)
        return snprintf(out, out_len,
                        "the signature is cut short: %u of %u bytes are "
                        "there; fetch the image again",
                        got, want);
    if (f->seg == IMG_SIG_FEW)
        return snprintf(out, out_len,
                        "%u trusted keys have signed the image and %u are "
                        "needed; let another key sign it, too",
                        got, want);
    if (f->seg < sizeof(blocks) / sizeof(blocks[0]) && blocks[f->seg])
        return snprintf(out, out_len, "signature block %u %s", got,
                        blocks[f->seg]);
    return snprintf(out, out_len, "%s", texts[f->seg]);
}

const char *img_fault_text(const struct img_fault *fault, char *out,
                           size_t out_len)
{
    switch (fault->kind) {
    case IMG_FAULT_NONE:
        (void)snprintf(out, out_len, "the image is good");
        break;
    case IMG_FAULT_MAGIC:
        (void)magic_fault(fault, out, out_len);
        break;
    case IMG_FAULT_CHIP:
        (void)chip_fault(fault, out, out_len);
        break;
    case IMG_FAULT_REV_LOW:
    case IMG_FAULT_REV_HIGH:
        (void)rev_fault(fault, out, out_len);
        break;
    case IMG_FAULT_SEG_CNT:
    case IMG_FAULT_SEG_LEN:
    case IMG_FAULT_SEG_SHORT:
    case IMG_FAULT_SEG_ALIGN:
        (void)seg_fault(fault, out, out_len);
        break;
    case IMG_FAULT_TOO_LARGE:
    case IMG_FAULT_TRUNCATED:
    case IMG_FAULT_TRAILING:
        (void)size_fault(fault, out, out_len);
        break;
    case IMG_FAULT_DESC_MAGIC:
        (void)snprintf(out, out_len,
                       "the application description starts with 0x%08x, not "
                       "0x%08x; pack the image with its description",
                       (unsigned)fault->got, (unsigned)fault->want);
        break;
    case IMG_FAULT_SIG:
        (void)sig_fault(fault, out, out_len);
        break;
    case IMG_FAULT_SIG_GAP:
        (void)snprintf(out, out_len,
                       "between image and signature, at offset %u, there is "
                       "0x%02x instead of 0xff; the image is not signed, or "
                       "not for this place",
                       (unsigned)fault->got, (unsigned)fault->want);
        break;
    case IMG_FAULT_FLASH:
        (void)snprintf(out, out_len,
                       "flash could not be read at offset %u of the image; "
                       "check the flash file or the wiring",
                       (unsigned)fault->got);
        break;
    default:
        (void)sum_fault(fault, out, out_len);
        break;
    }
    return out;
}

const char *img_chip_name(uint16_t chip_id, char buf[16])
{
    const struct img_chip *chip = img_chip_find(chip_id);

    if (chip)
        return chip->name;
    (void)snprintf(buf, 16, "chip 0x%04x", chip_id);
    return buf;
}

bool img_chip_by_name(const char *name, uint16_t *chip_id)
{
    const struct img_chip *chip;

    for (size_t i = 0; (chip = img_chip_at(i)) != NULL; i++) {
        if (strcmp(chip->name, name) == 0) {
            *chip_id = chip->id;
            return true;
        }
    }
    return false;
}

uint32_t img_chip_bootloader_off(uint16_t chip_id)
{
    const struct img_chip *chip = img_chip_find(chip_id);

    return chip ? chip->bootloader_off : 0x1000u;
}
