/*
 * The scripts that tests have given through the control listener, and which request each is for.
 *
 *     scripts_add(s, json_object, &why);      {"match": "needle", "path": "/v1/…", "count": 2, "cut": "rst", …}
 *     scripts_take(s, path, body, &script)    the first that matches; its count goes down
 *
 * `match` must occur in the request's body, `path` must be its path; both may be left out. `count` is 1 when not
 * given, 0 means for ever.
 */
#ifndef MOONGATE_MOCK_SCRIPTS_H
#define MOONGATE_MOCK_SCRIPTS_H

#include "script.h"

struct scripts;

struct scripts *scripts_new(void);
void scripts_free(struct scripts *s);
bool scripts_add(struct scripts *s, json_t *object, struct fault *why);
void scripts_reset(struct scripts *s);
/* Overwrites *script with what is to be done; false, and *script untouched, when nothing matches. */
bool scripts_take(struct scripts *s, struct slice path, struct slice body, struct script *script);
/* The same for scripts with `accept`, which act before any byte is read. */
bool scripts_take_accept(struct scripts *s, struct script *script);

#endif
