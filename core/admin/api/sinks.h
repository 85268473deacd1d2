/*
 * Handlers of the sinks that people are told by (store/registry/notices.h).
 */
#ifndef MOONGATE_ADMIN_API_SINKS_H
#define MOONGATE_ADMIN_API_SINKS_H

#include "admin/api/route.h"

extern const struct api_field sinks_test_fields[];

/* 202: each sink gets a notice that says so, as soon as it takes one. */
void sinks_test(struct api_call *call);

#endif
