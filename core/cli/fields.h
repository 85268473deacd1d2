/*
 * The reference of moongate.lua, printed from the rows that read it: no field can be missing, no bound out of date.
 *
 *     size_t count = fields_print(stdout, "timeouts");   // those of one table; NULL: all
 *     fields_print_markdown(stdout);                     // all, as examples/moongate.lua.md has them
 */
#ifndef MOONGATE_CLI_FIELDS_H
#define MOONGATE_CLI_FIELDS_H

#include <stddef.h>
#include <stdio.h>

/* How many fields are called so or lie in a table that is called so; 0: nothing was printed. */
size_t fields_print(FILE *to, const char *only);
void fields_print_markdown(FILE *to);

#endif
