/*
 * Objects that a provider keeps belong to the app that made them, and to the account that has them: what a request
 * names must be its caller's, and then only targets at that account are asked; what an answer says was made is the
 * caller's from then on.
 *
 *     owning_first(job, then);                       // then(job), or a refusal: behind the policies' word
 *     if (owning_allows(job, target)) …              // it is at the account
 *     owning_listens(job) ? owning_hear : NULL       // for the relay: claims what is made
 *     owning_claim(job, KEPT_FILE, id);              // of another answer than a model's: job->call's account has it
 *     owning_forget(job, id);                        // it was deleted there
 *     if (!owning_is_known(job, then)) …             // before the answer's end leaves
 *
 * Objects that were made elsewhere are nobody's here; apps.lua may share such with an app, and says the account.
 * Another app's object, one of nobody and one that is over are refused alike, in the provider's words for an id that it
 * does not know. What cannot be looked up is refused as well (FAULT_OBJECTS), and never passes. See flow/objects.h for
 * who knows.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_OWNING_H
#define MOONGATE_FLOW_OWNING_H

#include "flow/job.h"
#include "wire/said.h"

/* Whose objects the caller may name: those of his app; where there is none, of his key; else of everybody who has
 * neither. In the exchange's arena. */
struct slice owning_owner(struct exchange *x);

void owning_first(struct job *job, void (*then)(struct job *job));
bool owning_allows(const struct job *job, const struct target *target);
/* No target that is left may be asked: refused, where that is for the objects' sake. */
bool owning_refuse_targets(struct job *job);

bool owning_listens(const struct job *job);
void owning_hear(void *job, const struct said *said); /* relay_parts.on_said */
void owning_claim(struct job *job, enum kept_kind kind, struct slice id);
void owning_forget(struct job *job, struct slice id);
/* Something that was claimed is not known to all of a fleet yet. */
bool owning_is_behind(const struct job *job);
/* True: whoever may be asked next knows what was claimed. False: then(job) comes from the loop. */
bool owning_is_known(struct job *job, void (*then)(void *job));
/* The job ends, or what it waits for is over. */
void owning_leave(struct job *job);

#endif
