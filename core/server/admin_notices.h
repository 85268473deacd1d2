/*
 * Sends what the registry has to tell (store/registry/notices.h) to the sinks of moongate.lua, from the admin process:
 * the ways are those of budgets' notices (ledger/sink/sink.h), one notice at a time and sink.
 *
 *     struct admin_notices *n = admin_notices_new(loop);
 *     admin_notices_configure(n, settings);           // copied; again at each reload
 *     admin_notices_look(n, registry);                // again and again; NULL: it cannot be opened now
 *     admin_notices_free(n);                          // what is under way is sent again by whoever comes next
 */
#ifndef MOONGATE_SERVER_ADMIN_NOTICES_H
#define MOONGATE_SERVER_ADMIN_NOTICES_H

#include "exchange/settings.h"

struct admin_notices;
struct loop;
struct registry;

struct admin_notices *admin_notices_new(struct loop *loop);
void admin_notices_free(struct admin_notices *n); /* NULL is welcome */
void admin_notices_configure(struct admin_notices *n, const struct settings *settings, struct slice gateway);
void admin_notices_look(struct admin_notices *n, struct registry *registry);

#endif
