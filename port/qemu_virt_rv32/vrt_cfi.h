/* vrt_cfi.h - the command sequences of a flash bank: two 16-bit chips with
 * Intel's command set side by side, so that every command is there twice.
 *
 * While a bank takes commands it cannot be read, and code that is fetched from
 * it makes the machine hang without a trap. So these functions lie in RAM
 * (.ramtext), call nothing outside of it, and leave the bank readable. Every
 * poll has an end. */
#ifndef VRT_CFI_H
#define VRT_CFI_H

#include <stdbool.h>
#include <stdint.h>

#define VRT_CFI_BUFFER_LEN 4096u /* of one buffered program */

/* Programs word_cnt words (1 to 1024) that lie in one aligned piece of
 * VRT_CFI_BUFFER_LEN bytes. src lies in RAM; NULL: all ones. false: the chip
 * reported failure, or nothing within the time that it has. */
bool vrt_cfi_program(volatile uint32_t *dst, const uint32_t *src,
                     uint32_t word_cnt);

/* Is there a bank whose chips answer as they should? */
bool vrt_cfi_present(volatile uint32_t *bank);

#endif
