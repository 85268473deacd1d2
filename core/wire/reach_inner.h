/* What the files of wire/reach share; nobody else includes it. */
#ifndef MOONGATE_WIRE_REACH_INNER_H
#define MOONGATE_WIRE_REACH_INNER_H

#include "wire/reach.h"

/* Behind the account's URL. */
void reach_write_vertex(struct buf *out, const struct reach_ask *ask, struct arena *arena);

#endif
