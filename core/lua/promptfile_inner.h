/* What a prompt file's parts share; jansson.h and wire/json.h cannot be included together, so that the head's tree
 * goes from one to the other as text. */
#ifndef MOONGATE_LUA_PROMPTFILE_INNER_H
#define MOONGATE_LUA_PROMPTFILE_INNER_H

#include "lua/promptfile.h"

/* Appends the head's JSON. Its first line is the file's second. */
bool promptfile_head(struct slice head, struct buf *json, struct promptfile_error *why);

#endif
