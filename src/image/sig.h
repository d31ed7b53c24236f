/* image/sig.h - is this content signed by keys that we trust?
 *
 * Fed while the content passes: first the content, up to and with the 0xFF
 * that fill its last sector, then the bytes of the signature. Used by
 * img_check for images and by the key store for its updates.
 *
 * ACCEPT only if `need` different keys of the set signed, each of them trusted
 * and not revoked. One block too many changes nothing for the better: what is
 * damaged, out of place, made for other content, or names a trusted key and is
 * not its signature, refuses the whole. Blocks of keys that the set does not
 * know, or of other schemes, neither help nor harm; that is how keys change
 * hands.
 *
 * Allocates nothing; holds no pointer but keys, which is borrowed. */
#ifndef IMAGE_SIG_H
#define IMAGE_SIG_H

#include "crypto/sha256.h"
#include "crypto/sha384.h"
#include "image/keys.h"

/* What was found; numbers as they become the fields of an img_fault. */
enum img_sig_why {
    IMG_SIG_OK = 0,
    IMG_SIG_NO_KEYS, /* the set trusts nobody */
    IMG_SIG_ABSENT,
    IMG_SIG_SHORT,
    IMG_SIG_BLOCK,   /* got: index of a block that is damaged */
    IMG_SIG_ORDER,   /* got: index of a block that follows an empty one */
    IMG_SIG_REST,    /* got: offset of a byte behind the blocks */
    IMG_SIG_SCHEME,  /* only blocks of other schemes */
    IMG_SIG_DIGEST,  /* got: index of a block made for other content */
    IMG_SIG_BAD,     /* got: index; a trusted key did not make it */
    IMG_SIG_KEY,     /* nobody whom the set knows has signed */
    IMG_SIG_REVOKED, /* ... or only revoked keys have */
    IMG_SIG_FEW      /* got: keys that signed, want: how many have to */
};

struct img_sig {
    const struct img_keys *keys;
    enum img_sig_why why; /* the first reason to refuse; it sticks */
    uint32_t got, want;
    uint32_t fed_len; /* of the signature */
    uint32_t missing; /* signers; counted down while signed_by is filled */
    bool hashed;      /* the content is complete */
    bool empty;       /* an erased block was seen */
    bool other, unknown, revoked; /* blocks of that kind were seen */
    enum verdict signed_by[IMG_KEYS_MAX];
    uint8_t digest[SHA384_LEN];
    union {
        struct sha256 sha256;
        struct sha384 sha384; /* ECDSA P-384 only */
    } hash;
    uint8_t block[IMG_SIG_V2_LEN];
};

/* keys: not NULL. */
void img_sig_open(struct img_sig *s, const struct img_keys *keys);

/* True if the hash is SHA-256, so that img_sig_adopt() may spare some work: it
 * takes the state of a hash that has seen all of the content so far. */
bool img_sig_is_sha256(const struct img_keys *keys);
void img_sig_adopt(struct img_sig *s, const struct sha256 *sha);

void img_sig_hash(struct img_sig *s, const void *data, size_t len);

/* Bytes of the signature, img_sig_len() in all, in any pieces. Returns the
 * first reason to refuse, if there is one already. */
enum img_sig_why img_sig_feed(struct img_sig *s, const void *data, size_t len);

/* The verdict; s->why says what led to REJECT. */
enum verdict img_sig_finish(struct img_sig *s);

/* The same question put to what was found, for those who ask again before
 * they act. */
enum verdict img_sig_holds(const struct img_sig *s);

#endif
