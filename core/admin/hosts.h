/*
 * Under which names the admin listener is asked (RFC 9110 7.2).
 *
 *     if (!hosts_is_ours(http_find(head, SLICE("host")), configured)) … 421 …
 *
 * A page in somebody's browser may let its own name stand for 127.0.0.1 ("DNS rebinding") and then read what is here as
 * if it were its own. It cannot change the name that the browser sends along. Names that no other can claim are taken:
 * addresses, localhost and what ends in it (RFC 6761 6.3), the one that moongate.lua gives; and no name at all, which
 * browsers always send.
 */
#ifndef MOONGATE_ADMIN_HOSTS_H
#define MOONGATE_ADMIN_HOSTS_H

#include <stdbool.h>

#include "base/slice.h"

/* `host`: the header's value, with or without a port; `configured`: may be empty. */
bool hosts_is_ours(struct slice host, struct slice configured);
/* This machine's own: localhost, 127.0.0.0/8, [::1]. */
bool hosts_is_loopback(struct slice host);

#endif
