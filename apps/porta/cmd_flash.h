/* cmd_flash.h - the verb of `porta flash` that has a file of its own. */
#ifndef CMD_FLASH_H
#define CMD_FLASH_H

int flash_map(int argc, char **argv);

#endif
