/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/run.h"

int main(int argc, char **argv)
{
    return wrapc_run(argc, argv);
}
