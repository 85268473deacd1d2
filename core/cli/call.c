#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/login.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "net/line.h"

#define OPEN_TIMEOUT_MS 3000u

static void append_path(struct buf *path, const char *data_dir)
{
    buf_printf(path, "%s/control.sock", data_dir);
    buf_append_char(path, '\0');
}

bool cli_is_served(const char *data_dir)
{
    struct buf path;
    buf_init(&path);
    append_path(&path, data_dir);
    bool is_served = line_is_served(buf_ptr(&path), OPEN_TIMEOUT_MS);
    buf_clear(&path);
    return is_served;
}

json_t *cli_call(const char *data_dir, const char *name, unsigned timeout_ms, char *why, size_t why_size)
{
    char login[LIMIT_LOGIN_BYTES + 1];
    login_caller(login);
    return cli_call_with(data_dir, json_pack("{s:s, s:s}", "cmd", name, "login", login), timeout_ms, why, why_size);
}

json_t *cli_call_with(const char *data_dir, json_t *request, unsigned timeout_ms, char *why_text, size_t why_size)
{
    struct fault why;
    struct buf path, answer;
    json_t *json = NULL;
    char *text = json_dumps(request, JSON_COMPACT);
    buf_init(&path);
    buf_init(&answer);
    append_path(&path, data_dir);
    struct line_client *client = line_client_open(buf_ptr(&path), OPEN_TIMEOUT_MS, &why);
    if (client && line_client_call(client, slice_str(text), &answer, timeout_ms, &why)) {
        json = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
        if (!json) fault_set(&why, FAULT_INTERNAL, "the gateway's answer is not JSON");
    }
    if (!json) snprintf(why_text, why_size, "%s", fault_message(&why));
    if (client) line_client_close(client);
    json_decref(request);
    mem_free(text);
    buf_clear(&path);
    buf_clear(&answer);
    return json;
}
