/*
 * Handlers about the registry as a whole.
 */
#ifndef MOONGATE_ADMIN_API_STATUS_H
#define MOONGATE_ADMIN_API_STATUS_H

#include "admin/api/api.h"

/* 200 also where it cannot be opened: what is wrong is the answer. */
void status_registry(struct api_call *call);

#endif
