/*
 * V8 of the registry's check: what a completed review's evidence says was there when it was completed is there still,
 * but for what later events changed.
 */
#ifndef MOONGATE_STORE_REGISTRY_REVIEW_CHECK_H
#define MOONGATE_STORE_REGISTRY_REVIEW_CHECK_H

#include "store/registry/registry.h"

/* Inside of a reading. each: of what is otherwise, "rvw_…/n"; borrowed. */
bool review_check(struct registry *r, void (*each)(void *arg, struct slice object), void *arg, struct fault *why);

#endif
