/*
 * What came of decisions that were taken again, summed for people and as JSON: how many are the same, who is newly
 * denied and by which rule, what is called instead, what it costs, and a few of them by name.
 *
 *     struct replayed *sums = replayed_new(only, is_json);
 *     replayed_add(sums, record, outcome, &report);     // prints at once what is listed
 *     int code = replayed_close(sums, seconds, true);   // prints the sums: CLI_OK, or CLI_FOUND when anything differs
 *
 * Memory does not grow with the number of records: of rules, departments and targets REPLAYED_NAMES are told apart.
 */
#ifndef MOONGATE_CLI_REPLAYED_H
#define MOONGATE_CLI_REPLAYED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "flow/replay.h"

#define REPLAYED_NAMES 64
#define REPLAYED_ALL (-1)

struct replayed;

/* only: of enum replay_outcome, all of which are listed; REPLAYED_ALL: a few that differ. */
struct replayed *replayed_new(int only, bool is_json);
void replayed_add(struct replayed *sums, struct slice record, enum replay_outcome outcome,
                  const struct replay_report *report);
uint64_t replayed_count(const struct replayed *sums);
/* is_whole: false after what could not be read to its end; then people are told no sums. */
int replayed_close(struct replayed *sums, double seconds, bool is_whole);
/* "newly_denied"; -2: no kind is called so. */
int replayed_kind(const char *word);
/* "same, newly_denied, …" */
const char *replayed_kinds(void);

#endif
