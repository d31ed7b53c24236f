/* otadata/rec.c - one boot record: bytes, predicates, names. */
#include "otadata/otadata.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"

#define LABEL_OFF 4u
#define STATE_OFF 24u
#define CRC_OFF 28u
#define CRC_SEED 0xFFFFFFFFu

uint32_t ota_rec_crc(uint32_t seq)
{
    uint8_t bytes[4];
    le32_put(bytes, seq);
    return crc32_le(CRC_SEED, bytes, sizeof(bytes));
}

bool ota_rec_crc_ok(const struct ota_rec *r)
{
    return r->crc == ota_rec_crc(r->seq);
}

bool ota_rec_invalid(const struct ota_rec *r)
{
    return r->seq == OTADATA_SEQ_NONE || r->state == OTA_STATE_INVALID ||
           r->state == OTA_STATE_ABORTED;
}

bool ota_rec_valid(const struct ota_rec *r)
{
    return !ota_rec_invalid(r) && ota_rec_crc_ok(r);
}

bool ota_rec_blank(const struct ota_rec *r)
{
    uint8_t bytes[OTADATA_REC_LEN];
    ota_rec_pack(r, bytes);
    return bytes_are(bytes, sizeof(bytes), 0xFF);
}

void ota_rec_parse(const uint8_t bytes[OTADATA_REC_LEN], struct ota_rec *out)
{
    out->seq = le32_get(bytes);
    memcpy(out->label, bytes + LABEL_OFF, sizeof(out->label));
    out->state = le32_get(bytes + STATE_OFF);
    out->crc = le32_get(bytes + CRC_OFF);
}

void ota_rec_pack(const struct ota_rec *r, uint8_t out[OTADATA_REC_LEN])
{
    le32_put(out, r->seq);
    memcpy(out + LABEL_OFF, r->label, sizeof(r->label));
    le32_put(out + STATE_OFF, r->state);
    le32_put(out + CRC_OFF, r->crc);
}

uint32_t ota_active_idx(const struct ota_rec rec[2])
{
    bool ok0 = ota_rec_valid(&rec[0]);
    bool ok1 = ota_rec_valid(&rec[1]);
    if (ok0 && ok1)
        return rec[1].seq > rec[0].seq ? 1 : 0;
    if (ok0)
        return 0;
    return ok1 ? 1 : OTA_REC_NONE;
}

uint32_t ota_seq_slot(uint32_t seq, uint32_t slot_cnt)
{
    return (seq - 1) % slot_cnt; /* 0 wraps, as in the reference */
}

const char *ota_state_name(uint32_t state)
{
    switch (state) {
    case OTA_STATE_NEW:
        return "NEW";
    case OTA_STATE_PENDING:
        return "PENDING_VERIFY";
    case OTA_STATE_VALID:
        return "VALID";
    case OTA_STATE_INVALID:
        return "INVALID";
    case OTA_STATE_ABORTED:
        return "ABORTED";
    case OTA_STATE_UNDEFINED:
        return "UNDEFINED";
    default:
        return "UNKNOWN";
    }
}
