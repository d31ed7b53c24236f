/* The verbs, in the order of `porta help`. What each of them understands is in
 * its own file, in the struct cli_verb that it is parsed by. */
#include "cli_table.h"
#include "cmds.h"

const struct cli_sub cli_verbs[] = {
    { "image", "firmware images: create, info, verify, sign", cmd_image },
    { "key", "keys that sign images, and whom a device trusts", cmd_key },
    { "table", "partition tables: build, show", cmd_table },
    { "flash", "a device's flash file: create, show, read, write, erase, map",
      cmd_flash },
    { "explain", "what boots at the next reset, and why", cmd_explain },
    { "update", "one OTA session: download, check, write, make bootable",
      cmd_update },
    { "confirm", "confirm the running image", cmd_confirm },
    { "rollback", "give the running image up", cmd_rollback },
    { "deny", "releases that failed on a device: list, add, clear", cmd_deny },
    { "reset", "one pass of the bootloader", cmd_reset },
    { "device", "the board: boots the flash file and keeps it running",
      cmd_device },
    { "bundle", "CA certificates in little room: build, show", cmd_bundle },
    { "serve", "development HTTPS server for a folder", cmd_serve },
    { "build", "an ESP-IDF project directory, unchanged, for Linux",
      cmd_build },
    { "torture", "cuts the power in every flash operation, on a copy",
      cmd_torture },
    { "test", "would my image survive? A scenario file, for CI", cmd_test },
    { "demo", "the guided tour", cmd_demo },
    { "doctor", "checks this machine, and says how to mend it", cmd_doctor },
    { "help", "this list, or one page about a verb", cmd_help },
};
const size_t cli_verb_cnt = sizeof(cli_verbs) / sizeof(cli_verbs[0]);
