/*
 * The codes of diagnostics: MG0103 and what it means, one table for `check`, reload answers and `moongate help MG0103`.
 *
 *     const struct code *code = code_of(SLICE("rules[1].when.dat: unknown condition 'dat'"), false);
 *     printf("%s %s\n%s\n%s\n", code->name, code->title, code->cause, code->cure);
 *     code = code_find(SLICE("MG0103"));   // NULL: there is none
 *
 * A diagnostic's code follows from its text, so that whoever reports one need not know the table: MG01xx Lua and files,
 * MG02xx what is written in them, MG03xx warnings, MG04xx the load itself. Codes are stable: they are never used again
 * for something else.
 */
#ifndef MOONGATE_SERVER_CODES_H
#define MOONGATE_SERVER_CODES_H

#include <stdbool.h>

#include "base/slice.h"

struct code {
    const char *name;  /* "MG0103" */
    const char *title; /* a few words */
    const char *says;  /* parts of the texts that it stands for, with | between; "" for all others */
    const char *cause;
    const char *cure;
};

/* Ends with a name of NULL. */
extern const struct code code_table[];

/* Never NULL: there is a code for what no other stands for. */
const struct code *code_of(struct slice text, bool is_warning);
const struct code *code_find(struct slice name);

#endif
