/*
 * Handlers about the API itself: who asks, and what may be asked.
 */
#ifndef MOONGATE_ADMIN_API_WHOAMI_H
#define MOONGATE_ADMIN_API_WHOAMI_H

#include "admin/api/api.h"

void whoami_show(struct api_call *call);
void whoami_openapi(struct api_call *call);

#endif
