#!/usr/bin/python3
"""mutants.py - checks of signatures left out, one at a time: see
test/mutate.py. The rows of test_sig.c, or of test_sig_more.c for v1-* and
field-*, must go red. Built and run with PORTA_DEEP (`make check-deep`).
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from mutate import main  # noqa: E402

MUTANTS = [
    ("once-counts-twice", "image/sig.c",
     "if (now != VERDICT_ACCEPT || s->signed_by[i] == VERDICT_ACCEPT)",
     "if (now != VERDICT_ACCEPT)"),
    ("not-counted-down", "image/sig.c",
     "        s->missing--;\n",
     "        s->missing -= 0;\n"),
    ("one-count-few", "image/sig.c",
     "        few | (uint32_t)s->why |",
     "        0 * few | (uint32_t)s->why |"),
    ("one-count-missing", "image/sig.c",
     "        s->missing | (uint32_t)s->why",
     "        (uint32_t)s->why"),
    ("length-not-asked-again", "image/sig.c",
     "(s->fed_len ^ img_sig_len(s->keys->scheme))",
     "0"),
    ("need-not-asked-again", "image/sig.c",
     " | (uint32_t)(s->keys->need == 0)",
     ""),
    ("short-is-enough", "image/sig.c",
     "    if (s->fed_len < len)\n",
     "    if (s->fed_len < 1)\n"),
    ("after-an-empty-one", "image/sig.c",
     "    refuse(s, IMG_SIG_ORDER, idx, 0);\n",
     "    (void)idx;\n"),
    ("empty-not-noticed", "image/sig.c",
     "        s->empty = true;\n",
     "        s->empty = false;\n"),
    ("damaged-passed-over", "image/sig.c",
     "        refuse(s, IMG_SIG_BLOCK, idx, 0);\n"
     "        return;",
     "        return;"),
    ("field-other-after-empty", "image/sig.c",
     "    case IMG_BLOCK_OTHER:\n"
     "        if (s->empty)\n"
     "            break;",
     "    case IMG_BLOCK_OTHER:"),
    ("digest-passed-over", "image/sig.c",
     "        refuse(s, IMG_SIG_DIGEST, idx, 0);\n"
     "        return;",
     "        return;"),
    ("digest-not-compared", "image/sig.c",
     "    if (ct_diff(b->digest, s->digest, b->digest_len) != 0) {",
     "    if (b->digest_len == 0) {"),
    ("bad-passed-over", "image/sig.c",
     "    if (right != VERDICT_ACCEPT)\n"
     "        refuse(s, IMG_SIG_BAD, idx, 0);\n",
     "    (void)idx;\n"),
    ("any-scheme", "image/sig.c",
     "    if (b->scheme != s->keys->scheme) {",
     "    if (b->scheme == IMG_SCHEME_NONE) {"),
    ("rest-not-looked-at", "image/sig.c",
     "        if (p[i] != 0xFF)\n",
     "        if (p[i] == 0xFE)\n"),
    ("revoked-is-asked", "image/sig.c",
     "        s->revoked = true;\n"
     "        return;\n",
     "        s->revoked = true;\n"),
    ("any-key-set", "image/sig.c",
     "    if (!img_keys_valid(keys))\n",
     "    if (!keys)\n"),
    ("v1-damaged-passed-over", "image/sig.c",
     "        refuse(s, IMG_SIG_BLOCK, 0, 0);\n"
     "        return;\n",
     "        return;\n"),
    ("v1-unknown-passed-over", "image/sig.c",
     "    if (!any)\n"
     "        refuse(s, IMG_SIG_BAD, 0, 0);\n",
     "    (void)any;\n"),
    ("last-reason", "image/sig.c",
     "    if (s->why != IMG_SIG_OK)\n"
     "        return;\n"
     "    s->why",
     "    s->why"),
    ("crc-not-compared", "image/sig_block.c",
     "crc32_le(0, bytes, CRC_OFF) != le32_get(bytes + CRC_OFF) ||",
     "0 ||"),
    ("magic-not-compared", "image/sig_block.c",
     "bytes[0] != MAGIC ||",
     "0 ||"),
    ("reserved-not-looked-at", "image/sig_block.c",
     "bytes[3] != 0 ||",
     "0 ||"),
    ("behind-crc-not-looked-at", "image/sig_block.c",
     "!bytes_are(bytes + CRC_OFF + 4, IMG_SIG_V2_LEN - CRC_OFF - 4, 0)",
     "0"),
    ("first-byte-is-empty", "image/sig_block.c",
     "if (bytes_are(bytes, IMG_SIG_V2_LEN, 0xFF))",
     "if (bytes[0] == 0xFF)"),
    ("field-any-exponent", "image/sig_block.c",
     "le32_get(p + RSA_E_OFF) != RSA_E",
     "0"),
    ("field-even-modulus", "image/sig_block.c",
     "!(n[0] & 1) ||",
     "0 ||"),
    ("field-short-modulus", "image/sig_block.c",
     "!(n[RSA_LEN - 1] & 0x80)",
     "0"),
    ("field-rsa-hash", "image/sig_block.c",
     "p[2] != 0 ||",
     "0 ||"),
    ("field-any-hash", "image/sig_block.c",
     "p[2] > HASH_SHA384 ||",
     "0 ||"),
    ("field-curve-zero", "image/sig_block.c",
     "*curve < CURVE_P192 ||",
     "0 ||"),
    ("field-any-curve", "image/sig_block.c",
     "*curve > CURVE_P384 ||",
     "0 ||"),
    ("field-curve-and-hash", "image/sig_block.c",
     "wide != (*curve == CURVE_P384) ||",
     "0 ||"),
    ("field-behind-s", "image/sig_block.c",
     "!bytes_are(end, (uint32_t)(p + CRC_OFF - end), 0)",
     "end == p"),
    ("field-p192-is-p256", "image/sig_block.c",
     "*curve == CURVE_P192 || (wide",
     "(wide"),
    ("v1-erased-is-block", "image/sig_block.c",
     "    if (bytes_are(bytes, IMG_SIG_V1_LEN, 0xFF))\n"
     "        return IMG_BLOCK_ERASED;\n",
     ""),
    ("v1-any-version", "image/sig_block.c",
     "    if (le32_get(bytes) != 0)\n"
     "        return IMG_BLOCK_BAD;\n",
     ""),
]

if __name__ == "__main__":
    main(MUTANTS)
