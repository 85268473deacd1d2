/*
 * JSON schemas of answers and tools, as the providers take them.
 *
 *     schema_write_strict(tape, node, out, dropped, SLICE("response_format"));
 *     if (schema_is_closed(tape, node)) …                        // OpenAI's "strict" holds for it
 *
 * Source: Anthropic, "Structured outputs" (what schemas may hold; its SDKs rewrite them the same way); OpenAI,
 * "Structured Outputs", supported schemas.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_SCHEMA_H
#define MOONGATE_WIRE_TRANSLATE_SCHEMA_H

#include "base/buf.h"
#include "wire/json.h"
#include "wire/translate/dropped.h"

/* Without bounds of numbers, lengths and patterns, oneOf as anyOf (beside one it is left out), and objects closed: each
 * keyword that is left out or changed is dropped by its name behind `where`. */
void schema_write_strict(const struct json_tape *tape, uint32_t schema, struct buf *out, struct dropped *dropped,
                         struct slice where);
/* Every object in it requires all of its properties, and takes no others. */
bool schema_is_closed(const struct json_tape *tape, uint32_t schema);
/* As it stands, of type "object" also where it does not say so. JSON_NONE: of no properties. */
void schema_write_object(const struct json_tape *tape, uint32_t schema, struct buf *out);

#endif
