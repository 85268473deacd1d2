/* What went wrong, by the names of Amazon's exceptions: an event's, or that of an answer's head, or "__type" where none
 * of them is known; else by its status. */
#include "wire/converse/converse_answers.h"
#include "wire/exceptions.h"

#define FAILED_DEPENDENCY 424 /* RFC 4918 11.4 */

/* A failure of the model is none of the request's, though its status is 424: "retry your request". */
void converse_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                           struct arena *arena)
{
    bool is_known = exceptions_find(name, &failure->kind) ||
                    exceptions_find(failure_member(tape, 0, SLICE("__type"), arena), &failure->kind);
    if (!is_known && failure->status == FAILED_DEPENDENCY) failure->kind = FAILURE_SERVER;
    if (failure->status == FAILED_DEPENDENCY) failure->status = 500;
    failure->message = failure_member(tape, 0, SLICE("message"), arena);
    if (!failure->message.len) failure->message = failure_member(tape, 0, SLICE("Message"), arena);
    if (!failure->message.len) failure->message = failure_message(tape, arena);
}
