/*
 * Handlers of the switches of provider accounts, and what keeps the workers' memory as the registry has them.
 *
 *     providers_tell(registry, switches, &why);     // at the start, and after each change by whomever
 */
#ifndef MOONGATE_ADMIN_API_PROVIDERS_H
#define MOONGATE_ADMIN_API_PROVIDERS_H

#include "admin/api/route.h"
#include "base/fault.h"

extern const struct api_field providers_disable_fields[], providers_enable_fields[];

void providers_list(struct api_call *call);
void providers_disable(struct api_call *call);
void providers_enable(struct api_call *call);

/* Workers see it at their next look, which is before each call. */
bool providers_tell(struct registry *registry, struct provider_switches *switches, struct fault *why);

#endif
