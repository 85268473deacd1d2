/*
 * The admin API described as OpenAPI 3.1.0, made of its table of routes: what it says is what is checked.
 *
 *     json_t *document = openapi_document(api_routes);         // the caller's
 *
 * Each operation has x-moongate-role and, where it changes something, x-moongate-action: its name in the ledger.
 */
#ifndef MOONGATE_ADMIN_API_OPENAPI_H
#define MOONGATE_ADMIN_API_OPENAPI_H

#include "admin/api/route.h"

struct json_t *openapi_document(const struct api_route *routes);

#endif
