/*
 * The gate of signatures: a bundle goes live only when enough people have signed it (server/signed.h).
 *
 *     check_signed(config, serialised, result);   // refused: a finding in the report; else result->accept is set
 */
#ifndef MOONGATE_SERVER_CHECK_SIGNED_H
#define MOONGATE_SERVER_CHECK_SIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct accepted;
struct bundle;
struct check_result;
struct config;
struct signed_state;

/* How many must sign; 0: the gate demands none. Naming any of its fields that speak of people demands
 * them. */
unsigned gate_wants(const struct config *config);
/* Are the policies in the folder signed well enough to follow the last that were accepted? signed_clear() ends it. */
void gate_judge(const struct config *config, const struct bundle *bundle, const struct accepted *last,
                struct signed_state *state);
/* A bundle that is to be accepted is kept first (server/kept.h). */
void check_signed(const struct config *config, struct slice serialised, struct check_result *result);
/* One that was accepted before, from the data folder, by those who might sign it then. False: a finding. */
bool check_kept(const struct config *config, uint64_t serial, const struct bundle *bundle, struct check_result *result);

#endif
