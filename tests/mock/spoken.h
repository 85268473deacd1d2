/*
 * What an answer says, chosen alike in all dialects: a script's text or tool, what the last user message asks for with
 * "echo TEXT" or "call NAME", else words made from the prompt.
 *
 *     struct spoken spoken = spoken_choose(&(struct spoken_ask){script, text, seed, limit, is_stream});
 *     while (words_next(&spoken.words, &piece)) ...
 *     spoken_clear(&spoken);
 */
#ifndef MOONGATE_MOCK_SPOKEN_H
#define MOONGATE_MOCK_SPOKEN_H

#include <jansson.h>

#include "script.h"
#include "words.h"

struct spoken_ask {
    const struct script *script;
    const char *text; /* of the last user message; NULL: it has none */
    uint64_t seed;
    uint64_t limit; /* of tokens; UINT64_MAX: none */
    bool is_stream;
};

struct spoken {
    char *fixed; /* what `words` walk; NULL: they are made up */
    bool is_length;
    struct words words;
};

struct spoken spoken_choose(const struct spoken_ask *ask);
void spoken_clear(struct spoken *spoken);
/* The last message of the user: its text, or that of its last part; NULL: none. */
const char *spoken_text(const json_t *messages);
/* The tool to call: the script's, tool_choice's {"name"}, or the one of "call NAME"; NULL: none. The caller's to
 * free. */
char *spoken_tool(const json_t *body, const struct script *script, const char *text);

#endif
