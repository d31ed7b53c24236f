/* boot/way_back.c - is there anything to go back to? */
#include "boot/boot.h"

bool boot_way_back(const struct ota_rec *other, uint32_t running,
                   uint32_t slot_cnt, uint32_t *choice)
{
    *choice = BOOT_NONE;
    if (slot_cnt == 0)
        return false;
    *choice = BOOT_FACTORY;
    if (ota_rec_valid(other))
        *choice = ota_seq_slot(other->seq, slot_cnt);
    /* After a move of house both records name one slot: the very program
     * that is to be given up would be started again. */
    return *choice != running;
}
