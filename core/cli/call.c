#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/login.h"
#include "cli/cli.h"
#include "net/line.h"

#define OPEN_TIMEOUT_MS 3000u

json_t *cli_call(const char *data_dir, const char *name, unsigned timeout_ms, char *why_text, size_t why_size)
{
    struct fault why;
    struct buf path, request, answer;
    json_t *json = NULL;
    buf_init(&path);
    buf_init(&request);
    buf_init(&answer);
    buf_printf(&path, "%s/control.sock", data_dir);
    buf_append_char(&path, '\0');
    char login[LIMIT_LOGIN_BYTES + 1];
    login_caller(login);
    buf_printf(&request, "{\"cmd\":\"%s\",\"login\":", name);
    buf_append_json(&request, slice_str(login));
    buf_append_char(&request, '}');
    struct line_client *client = line_client_open(buf_ptr(&path), OPEN_TIMEOUT_MS, &why);
    if (client && line_client_call(client, buf_slice(&request), &answer, timeout_ms, &why)) {
        json = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
        if (!json) fault_set(&why, FAULT_INTERNAL, "the gateway's answer is not JSON");
    }
    if (!json) snprintf(why_text, why_size, "%s", fault_message(&why));
    if (client) line_client_close(client);
    buf_clear(&path);
    buf_clear(&request);
    buf_clear(&answer);
    return json;
}
