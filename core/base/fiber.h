/*
 * A long piece of work that puts itself aside: it has a stack of its own, and whoever runs it gets the thread back
 * after a slice.
 *
 *     struct fiber *fiber = fiber_new(load_everything, arg);
 *     while (!fiber_run(fiber, 2 * NS_PER_MS)) …;     // each further slice in a later turn of a loop
 *     fiber_free(fiber);
 *
 *     fiber_rest();   // in long loops, on any floor: returns in a later slice when this one is over
 *
 * Outside of a fiber fiber_rest() does nothing, so the same code serves both. Between two slices others run: what they
 * share with the work must be whole wherever it rests. A fiber is always run to its end, so that it frees what it
 * holds; one that is cancelled sees that and ends soon. No fiber runs another. Stack: LIMIT_FIBER_STACK_BYTES.
 */
#ifndef MOONGATE_BASE_FIBER_H
#define MOONGATE_BASE_FIBER_H

#include <stdbool.h>
#include <stdint.h>

struct fiber;

/* Nothing runs before fiber_run(). */
struct fiber *fiber_new(void (*fn)(void *arg), void *arg);
/* One slice of about so many nanoseconds; true when fn has returned. */
bool fiber_run(struct fiber *fiber, uint64_t slice_ns);
/* From now on fiber_is_cancelled() is true inside. It is still to be run to its end. */
void fiber_cancel(struct fiber *fiber);
/* One that has not ended is cancelled and runs to its end first. NULL is welcome. */
void fiber_free(struct fiber *fiber);

/* --- inside; also welcome outside of any fiber --- */

bool fiber_is_inside(void);
/* Is the slice over? */
bool fiber_is_due(void);
void fiber_pause(void);
/* Pauses when it is due. */
void fiber_rest(void);
bool fiber_is_cancelled(void);

#endif
