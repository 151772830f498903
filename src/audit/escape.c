/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "audit/audit.h"

/* Bytes of the UTF-8 sequence at @s, of which @len are there: 1 to 4, and its character; 0: it isn't UTF-8.
 */
static size_t utf8_sequence(const unsigned char *s, size_t len, uint32_t *character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least; /* below it, the sequence is overlong */
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 0; n < 4; n++) {
        if ((s[0] & forms[n].mask) != forms[n].lead)
            continue;
        if (len < n + 1)
            return 0;
        uint32_t c = s[0] & (unsigned char)~forms[n].mask;
        for (size_t i = 1; i <= n; i++) {
            if ((s[i] & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (s[i] & 0x3f);
        }
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        *character = c;
        return c >= forms[n].least && c <= 0x10ffff && !surrogate ? n + 1 : 0;
    }
    return 0;
}

/* C0, DEL and C1: what a terminal acts on. */
static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

char *audit_escape(const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    if (len > (SIZE_MAX - 1) / 4)
        return NULL;
    char *text = malloc(len * 4 + 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    const unsigned char *s = (const unsigned char *)bytes;
    while (len > 0) {
        uint32_t character = 0;
        size_t n = utf8_sequence(s, len, &character);
        bool plain = n > 0 && !is_control(character);
        if (n == 0)
            n = 1;
        for (size_t i = 0; i < n; i++) {
            if (!plain) {
                *to++ = '\\';
                *to++ = 'x';
                *to++ = digits[s[i] >> 4];
                *to++ = digits[s[i] & 0xf];
                continue;
            }
            if (s[i] == '\\')
                *to++ = '\\';
            *to++ = (char)s[i];
        }
        s += n;
        len -= n;
    }
    *to = '\0';
    char *fits = realloc(text, (size_t)(to - text) + 1);
    return fits != NULL ? fits : text;
}
