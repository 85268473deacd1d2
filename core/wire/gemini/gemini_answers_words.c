/* What went wrong, in the words of Google's APIs. Source: google.rpc.Code, and the statuses that it is mapped to. */
#include "wire/gemini/gemini_answers.h"

static const struct {
    struct slice word;
    int status;
} words[FAILURES] = {
    [FAILURE_REQUEST] = {{"INVALID_ARGUMENT", 16}, 400},
    [FAILURE_AUTHENTICATION] = {{"UNAUTHENTICATED", 15}, 401},
    [FAILURE_BILLING] = {{"RESOURCE_EXHAUSTED", 18}, 402},
    [FAILURE_PERMISSION] = {{"PERMISSION_DENIED", 17}, 403},
    [FAILURE_MISSING] = {{"NOT_FOUND", 9}, 404},
    [FAILURE_CONFLICT] = {{"ABORTED", 7}, 409},
    [FAILURE_TOO_LARGE] = {{"INVALID_ARGUMENT", 16}, 413},
    [FAILURE_RATE] = {{"RESOURCE_EXHAUSTED", 18}, 429},
    [FAILURE_SERVER] = {{"INTERNAL", 8}, 500},
    [FAILURE_TIMEOUT] = {{"DEADLINE_EXCEEDED", 17}, 504},
    [FAILURE_OVERLOADED] = {{"UNAVAILABLE", 11}, 503},
};

/* Its clients come again for every 429: not where no credit is left. 529 is nobody's else. */
static bool has_own_status(enum failure_kind kind)
{
    return kind == FAILURE_BILLING || kind == FAILURE_OVERLOADED;
}

void gemini_word_failure(const struct failure *failure, struct dialect_error *error, int *status)
{
    int usual = words[failure->kind].status;
    error->message = failure->message;
    error->type = words[failure->kind].word;
    error->code = failure->code;
    error->param = failure->param;
    error->status = failure->status && !has_own_status(failure->kind) ? failure->status : usual;
    *status = failure->status ? error->status : 0;
}
