/*
 * Evaluates a configuration file (moongate.lua) in a Lua state of its own and gives back plain data.
 *
 *     struct configfile_error why;
 *     json_t *tree = configfile_eval(text, &why);   // {"listen":"127.0.0.1:8090","providers":{…}}; NULL: why
 *     json_decref(tree);
 *
 * The file returns one table, bare or wrapped: `return moongate.config { … }`. `env "NAME"` and `file "path"` become
 * {"$env":"NAME"} and {"$file":"path"}: what they stand for is looked up later, by who needs it.
 * It sees string, table, math (without random), pairs, ipairs, type, tostring, tonumber, select, unpack, next, error,
 * assert: no files, clock, randomness, other modules or bytecode, so that the same file always gives the same data.
 * Limits: LIMIT_CONFIG_STATE_BYTES, LIMIT_CONFIG_BYTECODES, LIMIT_CONFIG_DEPTH.
 */
#ifndef MOONGATE_LUA_CONFIGFILE_H
#define MOONGATE_LUA_CONFIGFILE_H

#include "base/finding.h"
#include "base/slice.h"

struct json_t; /* jansson.h cannot be included beside wire/json.h */

struct configfile_error {
    enum finding finding;
    int line;       /* 0: unknown */
    char text[512]; /* without file and line */
};

struct json_t *configfile_eval(struct slice text, struct configfile_error *why);
/* The same of a file that may name more: what that script ("scripts/prompt_words.lua") adds to its environment. */
struct json_t *configfile_eval_with(struct slice text, struct slice words, struct configfile_error *why);

#endif
