/*
 * A form (multipart/form-data) as the JSON object that it stands for: texts as texts, "stream" as true or false, a file
 * as {"filename", "bytes", "sha256"}; several of a name as a list. Read leniently, as servers do: of two parts of a
 * name both are seen, a bare line end may stand before a boundary.
 *
 *     json_t *body = form_parse(content_type, body);     // NULL: it is none
 */
#ifndef MOONGATE_MOCK_FORM_H
#define MOONGATE_MOCK_FORM_H

#include <jansson.h>

#include "base/slice.h"

json_t *form_parse(struct slice content_type, struct slice body);

#endif
