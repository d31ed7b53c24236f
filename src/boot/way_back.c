/* boot/way_back.c - is there anything to go back to? */
#include "boot/boot.h"

bool boot_way_back(const struct ota_rec rec[2], uint32_t own_idx,
                   uint32_t slot_cnt, uint32_t *choice)
{
    const struct ota_rec *own = &rec[own_idx], *other = &rec[1 - own_idx];
    *choice = BOOT_FACTORY;
    if (slot_cnt == 0 || own_idx > 1)
        return false;
    if (!ota_rec_valid(other))
        return true;
    *choice = ota_seq_slot(other->seq, slot_cnt);
    /* After a move of house both records name one slot: the very program
     * that is to be given up would be started again. */
    return *choice != ota_seq_slot(own->seq, slot_cnt);
}
