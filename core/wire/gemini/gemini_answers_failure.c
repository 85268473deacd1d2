/* What went wrong, in the words of Google's APIs. Source: google.rpc.Code, google.rpc.RetryInfo; Gemini API,
 * "Troubleshooting"; ProtoJSON, for durations. */
#include "wire/gemini/gemini_answers.h"

static const struct failure_word words[] = {
    {{"INVALID_ARGUMENT", 16}, FAILURE_REQUEST},   {{"FAILED_PRECONDITION", 19}, FAILURE_REQUEST},
    {{"OUT_OF_RANGE", 12}, FAILURE_REQUEST},       {{"UNAUTHENTICATED", 15}, FAILURE_AUTHENTICATION},
    {{"PERMISSION_DENIED", 17}, FAILURE_PERMISSION}, {{"NOT_FOUND", 9}, FAILURE_MISSING},
    {{"ABORTED", 7}, FAILURE_CONFLICT},            {{"ALREADY_EXISTS", 14}, FAILURE_CONFLICT},
    {{"RESOURCE_EXHAUSTED", 18}, FAILURE_RATE},    {{"CANCELLED", 9}, FAILURE_SERVER},
    {{"UNKNOWN", 7}, FAILURE_SERVER},              {{"INTERNAL", 8}, FAILURE_SERVER},
    {{"DATA_LOSS", 9}, FAILURE_SERVER},            {{"UNIMPLEMENTED", 13}, FAILURE_REQUEST},
    {{"DEADLINE_EXCEEDED", 17}, FAILURE_TIMEOUT},  {{"UNAVAILABLE", 11}, FAILURE_OVERLOADED},
};

#define DELAY_S_MAX 999999999u

/* "3.5s" in whole seconds, none too short; 0: it is no such text. */
static uint32_t seconds_of(struct slice text)
{
    uint64_t seconds;
    struct slice fraction, whole = slice_split(text, '.', &fraction);
    bool has_fraction = whole.len < text.len;
    struct slice *last = has_fraction ? &fraction : &whole;
    if (!last->len || last->ptr[--last->len] != 's') return 0;
    if (!slice_to_u64(whole, &seconds) || seconds > DELAY_S_MAX) return 0;
    for (size_t i = 0; has_fraction && i < fraction.len; i++) {
        if (fraction.ptr[i] < '0' || fraction.ptr[i] > '9') return 0;
        if (fraction.ptr[i] != '0') return (uint32_t)seconds + 1;
    }
    return (uint32_t)seconds;
}

/* A key that is wrong is called an argument: then the reason says it. */
static void read_detail(const struct json_tape *tape, uint32_t detail, struct failure *failure, struct arena *arena)
{
    if (json_text_is(tape, json_get(tape, detail, SLICE("reason")), SLICE("API_KEY_INVALID")))
        failure->kind = FAILURE_AUTHENTICATION;
    uint32_t delay = seconds_of(failure_member(tape, detail, SLICE("retryDelay"), arena));
    if (delay) failure->retry_after_s = delay;
}

static void read_details(const struct json_tape *tape, uint32_t details, struct failure *failure, struct arena *arena)
{
    if (!json_is(tape, details, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, details); n != JSON_NONE; n = json_next(tape, n))
        read_detail(tape, n, failure, arena);
}

static uint32_t error_of(const struct json_tape *tape)
{
    uint32_t error = failure_object(tape);
    return error == JSON_NONE ? 0 : error;
}

static int status_of(struct slice code)
{
    uint64_t status;
    return slice_to_u64(code, &status) && status >= 400 && status < 600 ? (int)status : 0;
}

void gemini_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure, struct arena *arena)
{
    (void)name;
    uint32_t error = error_of(tape);
    struct slice word = failure_member(tape, error, SLICE("status"), arena);
    int status = status_of(failure_member(tape, error, SLICE("code"), arena));
    if (!failure_of_word(words, sizeof words / sizeof words[0], word, &failure->kind) && !failure->status && status)
        failure->kind = failure_of_status(status);
    read_details(tape, json_get(tape, error, SLICE("details")), failure, arena);
    failure->message = failure_message(tape, arena);
}
