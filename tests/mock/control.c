#include "control.h"

#include <unistd.h>

#include "session.h"

static struct source *say(int status, const char *error)
{
    return error ? source_of_error(status, "mock_error", "mock", error)
                 : source_of_bytes(200, "application/json", SLICE("{\"ok\":true}"), 0);
}

/* One script or a list of them. */
static struct source *add_scripts(struct mock *mock, struct slice body)
{
    struct fault why = {0};
    bool is_good = true;
    size_t i;
    json_t *item, *scripts = json_loadb(body.ptr, body.len, JSON_ALLOW_NUL, NULL);
    if (json_is_array(scripts)) {
        json_array_foreach(scripts, i, item) is_good = scripts_add(mock->scripts, item, &why) && is_good;
    } else {
        is_good = scripts_add(mock->scripts, scripts, &why);
    }
    json_decref(scripts);
    return say(400, is_good ? NULL : fault_message(&why));
}

static struct source *read_log(struct mock *mock, struct slice query)
{
    struct slice since, name = slice_split(query, '=', &since);
    struct buf out;
    uint64_t from = 0;
    if (slice_equal(name, SLICE("since"))) slice_to_u64(since, &from);
    buf_init(&out);
    journal_append_since(mock->journal, from, &out);
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

static struct source *read_state(struct mock *mock)
{
    json_t *state =
        json_pack("{s:I, s:I, s:I, s:o}", "connections", (json_int_t)mock->connections, "requests",
                  (json_int_t)mock->requests, "bytes_in", (json_int_t)mock->bytes_in, "open", session_states(mock));
    char *text = json_dumps(state, JSON_COMPACT);
    struct source *s = source_of_bytes(200, "application/json", slice_str(text), 0);
    free(text);
    json_decref(state);
    return s;
}

static struct source *reset(struct mock *mock)
{
    int *held = (int *)(void *)buf_ptr(&mock->held);
    for (size_t i = 0; i < buf_len(&mock->held) / sizeof *held; i++)
        close(held[i]);
    buf_reset(&mock->held);
    scripts_reset(mock->scripts);
    journal_forget(mock->journal);
    return say(200, NULL);
}

struct source *control_answer(struct mock *mock, const struct request *request)
{
    bool is_post = slice_equal(request->method, SLICE("POST"));
    if (is_post && slice_equal(request->path, SLICE("/_mock/script"))) {
        return add_scripts(mock, buf_slice(&request->body));
    }
    if (is_post && slice_equal(request->path, SLICE("/_mock/reset"))) return reset(mock);
    if (!is_post && slice_equal(request->path, SLICE("/_mock/log"))) return read_log(mock, request->query);
    if (!is_post && slice_equal(request->path, SLICE("/_mock/state"))) return read_state(mock);
    return say(404, "The control listener knows /_mock/script, /_mock/log, /_mock/state and /_mock/reset.");
}
