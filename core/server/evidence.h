/*
 * What the checklist (admin/checklist) is told of the configuration: the operator's part, without secrets.
 *
 *     json_t *config = evidence_config(c);            // config_show() and "retain_s"
 *     json_t *gate = evidence_gate(c, bundle);        // do enough people stand behind what lies in the folder?
 */
#ifndef MOONGATE_SERVER_EVIDENCE_H
#define MOONGATE_SERVER_EVIDENCE_H

#include <stdbool.h>

struct bundle;
struct config;
struct json_t;

/* New objects. */
struct json_t *evidence_config(const struct config *c);
struct json_t *evidence_gate(const struct config *c, const struct bundle *bundle);
/* Others count, or keep registers, together with this gateway. */
bool evidence_is_fleet(const struct config *c);

#endif
