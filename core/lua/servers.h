/*
 * Servers that speak OpenAI's API with a difference: scripts/catalogue/servers.lua, read once in a process.
 *
 *     const struct server *s = servers_find(SLICE("groq"));       // NULL: nobody of that name is known
 *     const char *name = servers_nearest(SLICE("gorq"));          // "groq"; NULL: none is near
 *     const char *word = servers_misspelt(SLICE("max_complet_tokens"));
 */
#ifndef MOONGATE_LUA_SERVERS_H
#define MOONGATE_LUA_SERVERS_H

#include "base/slice.h"

/* As wire/fitting.h has the last two. */
struct server {
    struct slice url; /* empty: each has its own */
    struct slice rejects, renames;
};

const struct server *servers_find(struct slice name);
const char *servers_nearest(struct slice name);
/* All names, with commas: for people. Lives as long as the process. */
const char *servers_names(void);
/* What is meant by a word that is no member of a request but nearly one; NULL: it is one, or near to none. */
const char *servers_misspelt(struct slice word);

#endif
