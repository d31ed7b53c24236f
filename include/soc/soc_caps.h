/* soc/soc_caps.h - what the chip can do. A host has no recovery bootloader in
 * ROM and no hardware key slots, so none of those capabilities is defined. */
#ifndef SOC_SOC_CAPS_H
#define SOC_SOC_CAPS_H

#endif
