/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the text of a .wr file to tokens: C's, WDL's `$name`, and whole preprocessor lines. Comments and
 * blanks are what lies between tokens; whoever copies C code copies the text from one token to the next, so
 * they are kept.
 */
#ifndef IDW_WRAPC_LEX_H
#define IDW_WRAPC_LEX_H

#include "wrapc/source.h"

/* lex - fill in @s->toks. Errors (an unterminated string or comment, a NUL byte) are noted in @s; lexing goes
 * on. */
void lex(struct source *s);

#endif
