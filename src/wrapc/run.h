/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program wrapc, all but its main. */
#ifndef IDW_WRAPC_RUN_H
#define IDW_WRAPC_RUN_H

/* wrapc_run - do what the command line asks. Returns the exit status: 0, 1 (errors in the source), 2 (usage).
 */
int wrapc_run(int argc, char **argv);

#endif
