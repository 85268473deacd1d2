/*
 * The gate of signatures: a bundle goes live only when enough people have signed it (server/signed.h).
 *
 *     check_signed(config, serialised, result);   // refused: a finding in the report; else result->accept is set
 */
#ifndef MOONGATE_SERVER_CHECK_SIGNED_H
#define MOONGATE_SERVER_CHECK_SIGNED_H

#include "base/slice.h"

struct check_result;
struct config;

/* How many must sign; 0: the gate demands none. Naming either of its two fields demands them. */
unsigned gate_wants(const struct config *config);
void check_signed(const struct config *config, struct slice serialised, struct check_result *result);

#endif
