/* Data: reference 4.2 (field) and 4.4 (size of the dump). A new chip is a new
 * row; qemu_virt_rv32 is ours and has the host's layout. */
#include "fuse/fuse.h"

static const struct fuse_field fields[] = {
    { 0x0000, 4, 8, 3, 128, 32 },  /* ESP32 */
    { 0x000C, 4, 8, 0, 54, 4 },    /* ESP32-C2 */
    { 0x0017, 11, 8, 0, 137, 9 },  /* ESP32-C5 */
    { 0x0005, 11, 8, 0, 142, 16 }, /* ESP32-C3 */
    { 0x0009, 11, 8, 0, 142, 16 }, /* ESP32-S3 */
    { 0x000D, 11, 8, 0, 142, 16 }, /* ESP32-C6 */
    { 0x0002, 11, 8, 0, 139, 16 }, /* ESP32-S2 */
    { 0x0010, 11, 8, 0, 137, 16 }, /* ESP32-H2 */
    { 0x0019, 11, 8, 0, 137, 16 }, /* ESP32-H21 */
    { 0x0012, 11, 8, 0, 137, 16 }, /* ESP32-P4 */
    { 0x001C, 11, 8, 0, 135, 16 }, /* ESP32-H4 */
    { 0x0014, 11, 8, 0, 104, 16 }, /* ESP32-C61 */
    { 0x0020, 11, 9, 0, 160, 16 }, /* ESP32-S31 */
    { 0x7F01, 11, 8, 0, 142, 16 }, /* qemu_virt_rv32 */
    { 0xFFFF, 11, 8, 0, 142, 16 }, /* linux */
};

const struct fuse_field *fuse_field_find(uint16_t chip_id)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].chip_id == chip_id)
            return &fields[i];
    return NULL;
}
