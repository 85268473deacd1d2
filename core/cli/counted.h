/*
 * A text or a request counted for people: what `moongate tokens` shows.
 *
 *     struct counted c;
 *     if (!counted_make(&c, input, "small", policies_dir, false, &why)) ... why.text, c.cure ...
 *     counted_clear(&c);                       // in any case
 *
 * Bytes that begin a JSON object with messages, prompt or input are a request; all else is a text. Counted as the
 * gateway counts before a call, from the same catalogue; names of the policy folder, when there is one, are known too.
 */
#ifndef MOONGATE_CLI_COUNTED_H
#define MOONGATE_CLI_COUNTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"

struct counted_line {
    const char *what; /* "1 system", "tools (3)", "request" */
    uint64_t tokens;
    bool is_estimated;
};

struct counted {
    struct arena arena;
    const char *model, *family, *vocabulary; /* family "": none fits */
    struct counted_line *lines;
    size_t line_count;
    uint64_t tokens, picture_tokens;
    uint32_t pictures;
    bool is_request, is_estimated;
    const char *cure; /* of a fault; may be NULL */
};

/* model: NULL where the request names it. policies_dir: NULL: only the catalogue's names. is_plain: a text, whatever it
 * looks like. False: why says what is wrong. */
bool counted_make(struct counted *c, struct slice input, const char *model, const char *policies_dir, bool is_plain,
                  struct fault *why);
/* False: why says where it stops being JSON. */
bool counted_is_json(struct slice input, struct fault *why);
void counted_clear(struct counted *c);

#endif
