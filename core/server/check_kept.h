/*
 * Bundles of the data folder (server/kept.h) in place of the policies' folder.
 *
 *     if (!kept_check(config, 41, &against, &bundle, result)) …    // goes back to it: the report says what it lacks
 *     kept_serve(config, &against, &bundle, result);               // at a start, after the folder was refused
 *
 * Each is checked as any, and its signatures as of when it was accepted; its specs were run then.
 */
#ifndef MOONGATE_SERVER_CHECK_KEPT_H
#define MOONGATE_SERVER_CHECK_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct check_against;
struct check_result;
struct config;

bool kept_check(const struct config *config, uint64_t serial, const struct check_against *against, struct buf *out,
                struct check_result *result);
/* Nobody has signed what lies in the folder, or it does not load: what people agreed to last is served, and the report
 * becomes a warning of it. Where there is none, all stays as it was. */
void kept_serve(const struct config *config, const struct check_against *against, struct buf *bundle,
                struct check_result *result);

#endif
