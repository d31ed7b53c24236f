/* cmds.h - the verbs. Each takes its own command line, argv[0] being its
 * name, and returns an enum cli_status. */
#ifndef CMDS_H
#define CMDS_H

int cmd_build(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_table(int argc, char **argv);
int cmd_flash(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_confirm(int argc, char **argv);
int cmd_deny(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_device(int argc, char **argv);
int cmd_bundle(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_torture(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
