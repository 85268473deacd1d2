/*
 * What all gateways of a fleet have spent together, as the one that runs here tells it.
 *
 *     int64_t starts[] = {begin_of_month_s, 0};                    // periods; 0: sessions
 *     switch (fleet_spent(data_dir, starts, 2, budgets_add, b, why, sizeof why)) {
 *     case FLEET_NONE: …       // it counts alone, or does not run: its ledger knows
 *     case FLEET_SILENT: …     // why: the fleet's counters are out of reach
 *     case FLEET_TOLD: …
 *     }
 */
#ifndef MOONGATE_CLI_FLEET_H
#define MOONGATE_CLI_FLEET_H

#include <stddef.h>
#include <stdint.h>

#include "store/counters/table.h"

enum fleet_said { FLEET_NONE, FLEET_SILENT, FLEET_TOLD };

/* Each budget once; of sessions those that go on. stop_s and idle_s are not told. Nothing is visited unless all is
 * there. */
enum fleet_said fleet_spent(const char *data_dir, const int64_t *starts, size_t start_count, int64_t now_s,
                            void (*visit)(void *arg, const struct counters_spent *spent), void *arg, char *why,
                            size_t why_size);
/* The one of that key and period, if there is one. */
enum fleet_said fleet_spent_of(const char *data_dir, const char *key, int64_t start_s, int64_t now_s,
                               void (*visit)(void *arg, const struct counters_spent *spent), void *arg, char *why,
                               size_t why_size);

#endif
