/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * race ATTACK BY [TRIES [SECONDS [WINS]]] - makes a call again and again while something that the call's
 * verdict rests on is swapped between harmless and forbidden, and knows by itself when a forbidden call has
 * gone through. Ends after TRIES, SECONDS or WINS, whichever is first (0: without that limit), but goes on
 * for up to ten times SECONDS to see both a success and a refusal. Prints
 *
 *     tries N wins N good N refused N other N [errno of the last other]
 *
 * An attack prepares its files in the working directory, turns what it swaps, and makes one attempt; who does
 * the turning, and when, is the swapper's (swap.h): most attacks swap one word of memory, so that any swapper
 * can do it. Nothing here is named so that the wrappers' rules forbid it before the race starts.
 */
#ifndef RACE_H
#define RACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "other": neither the harmless thing nor a refusal, which no swap explains. */
enum outcome { WIN, GOOD, REFUSED, OTHER, OUTCOMES };

struct attack {
    const char *name;
    void (*prepare)(void);
    void (*turn)(bool evil); /* to harmless, or to forbidden; turns alternate, the first is to forbidden */
    enum outcome (*attempt)(void);
    unsigned threads; /* that make attempts; 0 is 1 */
};

/* By family; each ends with an attack without a name. */
extern const struct attack open_attacks[], file_attacks[], exec_attacks[], net_attacks[];

/* One page that all swappers can reach, and BEFORE bytes of buffer in front of it. */
#define BEFORE (16UL * 4096)
struct swapped {
    char lead[64]; /* a path, struct or address ends with the word, or has it in it: what stands before it */
    _Atomic uint32_t word;
    char end[4096 - 68]; /* zeros */
};
extern struct swapped *swapped;
extern uint32_t words[2]; /* what the word is, by "evil"; prepare sets it */

/* words_are - four letters each. lead_with - put @len bytes before the word; where they start. */
void words_are(const char *good, const char *evil);
char *lead_with(const void *bytes, size_t len);
void turn_word(bool evil);

/* fail - say what can't be done here, exit 3. check - the same if @result is negative. */
_Noreturn void fail(const char *what);
int check(int result, const char *what);

/* refused - of a call that failed: what errno says it is. */
enum outcome refused(void);

/*
 * make_file - a file @name with @size bytes, mode 0755, made without a call that names it (the rules forbid
 * some) but link(2). Returns a descriptor for reading and writing. forbid_file - give it the second link by
 * which rules about objects know forbidden files. is_forbidden - has the object open as @fd one?
 */
int make_file(const char *name, size_t size);
void forbid_file(const char *name);
bool is_forbidden(int fd);

/* two_links - a symbolic link "link" to @good, and "other" to @evil; exchange_links is its turn. */
void two_links(const char *good, const char *evil);
void exchange_links(bool evil);

/* swap_fd - let SWAPPED_FD be descriptor behind[@evil]. */
#define SWAPPED_FD 200
extern int behind[2];
void swap_fd(bool evil);

/* What an executed copy of this program does: says by its status whether anything about it is forbidden. */
int be_witness(char **argv, char **envp);

#endif
