/*
 * The finding that a text is about, for those that do not say so themselves.
 *
 *     enum finding finding = finding_guess(SLICE("rules[1].when.dat: unknown condition 'dat'"), false);
 *
 * A guess by what the text says; whoever reports something should name its finding.
 */
#ifndef MOONGATE_BASE_FINDING_GUESS_H
#define MOONGATE_BASE_FINDING_GUESS_H

#include "base/finding.h"

/* Never FINDING_NONE. */
enum finding finding_guess(struct slice text, bool is_warning);

#endif
