#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/hook.h"
#include "ledger/sink/sink.h"

struct http {
    struct sink_way way;
    struct hook *hook;
    char *ca_file;
    struct buf body;
};

static void on_done(void *arg, bool is_good, const char *why)
{
    struct http *h = arg;
    h->way.done(h->way.arg, is_good, why);
}

static void post(struct http *h, const struct fetch_header *headers, size_t count)
{
    hook_post(h->hook, &(struct hook_call){.body = buf_slice(&h->body),
                                           .headers = headers,
                                           .header_count = count,
                                           .ca_file = h->ca_file,
                                           .timeout_ms = LIMIT_NOTICE_MS});
}

/* ---- Our own. */

static void send_webhook(struct sink_way *way, const struct sink_notice *notice)
{
    struct http *h = (struct http *)way;
    char time[24], hex[HOOK_HEX_BYTES], signature[sizeof time + sizeof hex + 8];
    buf_reset(&h->body);
    sink_write(&h->body, notice);
    snprintf(time, sizeof time, "%llu", (unsigned long long)(clock_wall_ns() / NS_PER_S));
    const struct slice parts[] = {slice_str(time), SLICE("."), buf_slice(&h->body)};
    bool is_signed = hook_sign(h->hook, parts, 3, hex);
    if (is_signed) snprintf(signature, sizeof signature, "t=%s,v1=%s", time, hex);
    const struct fetch_header headers[] = {{SLICE("moongate-event"), notice->id},
                                           {SLICE("moongate-signature"), slice_str(is_signed ? signature : "")}};
    post(h, headers, is_signed ? 2 : 1);
}

/* ---- Slack's, and what speaks like it. */

static void add_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&': buf_append(out, SLICE("&amp;")); break;
        case '<': buf_append(out, SLICE("&lt;")); break;
        case '>': buf_append(out, SLICE("&gt;")); break;
        default: buf_append_char(out, text.ptr[i]);
        }
    }
}

static void write_slack(struct buf *out, const struct sink_notice *n)
{
    struct buf text;
    buf_init(&text);
    bool is_channel = n->address.len && (n->address.ptr[0] == '#' || n->address.ptr[0] == '@');
    if (n->address.len && !is_channel) {
        add_escaped(&text, n->address);
        buf_append(&text, SLICE(": "));
    }
    add_escaped(&text, n->text);
    buf_append(&text, SLICE(" ("));
    add_escaped(&text, n->gateway);
    buf_append(&text, SLICE(", "));
    add_escaped(&text, n->rule);
    buf_append_char(&text, ')');
    buf_append_char(out, '{');
    if (is_channel) {
        buf_append(out, SLICE("\"channel\":"));
        buf_append_json(out, n->address);
        buf_append_char(out, ',');
    }
    buf_append(out, SLICE("\"text\":"));
    buf_append_json(out, buf_slice(&text));
    buf_append_char(out, '}');
    buf_clear(&text);
}

static void send_slack(struct sink_way *way, const struct sink_notice *notice)
{
    struct http *h = (struct http *)way;
    buf_reset(&h->body);
    write_slack(&h->body, notice);
    post(h, NULL, 0);
}

/* ---- Both. */

static void free_http(struct sink_way *way)
{
    struct http *h = (struct http *)way;
    hook_free(h->hook);
    mem_free(h->ca_file);
    buf_clear(&h->body);
    mem_free(h);
}

struct sink_way *sink_http_new(struct loop *loop, const struct sink *sink)
{
    struct http *h = mem_zalloc(1, sizeof *h);
    bool is_slack = slice_equal(sink->kind, SLICE("slack"));
    h->way = (struct sink_way){.send = is_slack ? send_slack : send_webhook, .free = free_http};
    h->hook = hook_new(loop, sink->url, sink->secret, on_done, h);
    h->ca_file = mem_strndup(sink->ca_file.ptr ? sink->ca_file.ptr : "", sink->ca_file.len);
    buf_init(&h->body);
    return &h->way;
}
