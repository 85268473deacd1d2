/*
 * Liveness and readiness, from the board and the data folder.
 *
 * Ready means: policies are loaded, at least one worker takes requests with them, records can be written, and nobody
 * has asked for a drain. Providers do not count: a gateway that is taken out because a provider fails helps nobody.
 */
#ifndef MOONGATE_ADMIN_HEALTH_H
#define MOONGATE_ADMIN_HEALTH_H

#include "admin/routes.h"

void health_live(const struct admin_parts *parts, struct slice query, struct admin_answer *answer);
void health_ready(const struct admin_parts *parts, struct slice query, struct admin_answer *answer);

#endif
